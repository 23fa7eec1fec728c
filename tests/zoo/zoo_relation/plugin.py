"""A relationship to a class that does not exist."""


class Plugin:
    """Nothing."""
