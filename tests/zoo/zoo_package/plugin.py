"""Needs a Python package."""


class Plugin:
    """Nothing."""
