"""What a deployment sets: environment variables, read and checked at the start."""
