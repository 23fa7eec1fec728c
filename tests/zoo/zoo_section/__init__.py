"""A section that does not exist."""
