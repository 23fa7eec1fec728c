"""A relationship to a class that does not exist."""
