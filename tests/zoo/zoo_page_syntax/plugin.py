"""A template with a syntax error."""


class Plugin:
    """Nothing."""
