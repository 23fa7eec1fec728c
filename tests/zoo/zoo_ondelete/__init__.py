"""A foreign key that does not say what happens."""
