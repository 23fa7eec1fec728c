"""A slot that does not exist."""
