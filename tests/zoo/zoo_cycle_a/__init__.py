"""A circle of two."""
