"""A manifest that is not TOML."""


class Plugin:
    """Nothing."""
