"""A backref on a core class."""


class Plugin:
    """Nothing."""
