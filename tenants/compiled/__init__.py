"""Statements that are composed once a process and planned once a connection."""
