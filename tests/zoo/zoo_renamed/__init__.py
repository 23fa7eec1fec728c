"""A folder of another name."""
