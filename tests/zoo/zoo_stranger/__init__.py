"""A foreign key to an addon that is not required."""
