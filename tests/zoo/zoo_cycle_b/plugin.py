"""A circle of two."""


class Plugin:
    """Nothing."""
