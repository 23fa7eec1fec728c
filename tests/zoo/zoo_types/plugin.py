"""A manifest of wrong types."""


class Plugin:
    """Nothing."""
