"""A template outside its own folder."""


class Plugin:
    """Nothing."""
