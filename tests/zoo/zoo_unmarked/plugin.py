"""A hook without its marker."""


class Plugin:
    """Broken on purpose."""

    def ui_nav(self):
        """Contribute nothing."""
        return []
