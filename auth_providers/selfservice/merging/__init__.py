"""Two customers who are one person: staff merge them, and undo it within 30 days (`docs/decisions/merging.md`)."""
