"""A page that does not exist."""
