"""A contribution of another type."""
