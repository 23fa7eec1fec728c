"""A backref on a core class."""
