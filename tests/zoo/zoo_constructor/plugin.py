"""A plugin that cannot be created."""


class Plugin:
    """Broken on purpose."""

    def __init__(self):
        raise KeyError("settings")
