"""Models that fail half way."""


class Plugin:
    """Nothing."""
