"""A blueprint of a foreign name."""
