"""Needs another version of a Python package."""


class Plugin:
    """Nothing."""
