"""A critical one that does not load."""
