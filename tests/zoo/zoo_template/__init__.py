"""A template that does not exist."""
