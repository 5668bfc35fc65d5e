"""Customers from another system: files of them, what their columns mean, and how they are written."""
