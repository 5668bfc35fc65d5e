"""Empty: what land.sh names."""
