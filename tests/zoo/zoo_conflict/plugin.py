"""Excludes another."""


class Plugin:
    """Nothing."""
