"""A card of a size that does not exist."""

from core.spec.markers import hookimpl
from core.spec.ui import Card



class Plugin:
    """Broken on purpose."""

    @hookimpl
    def ui_cards(self):
        """Contribute a card."""
        return [Card("box", "zoo_card/box.html", lambda context: {}, "hlaf")]
