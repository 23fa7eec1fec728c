"""A table without the addon's prefix."""
