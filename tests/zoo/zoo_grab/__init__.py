"""A permission of core."""
