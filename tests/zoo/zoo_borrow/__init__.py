"""A template of core."""
