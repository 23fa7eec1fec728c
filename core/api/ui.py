"""Access marks, formats and parts of pages, as addons may use them."""

from core.ui.access import public, requires
from core.ui.formats import day as day_text
from core.ui.formats import instant as instant_text
from core.ui.formats import money as money_text
from core.ui.formats import percent as percent_text
from core.ui.formats import plain
from core.ui.formats import price as price_text
from core.ui.formats import qty as quantity_text

__all__ = [
    # who may call a view
    "requires", "public",
    # figures and dates in the reader's locale
    "plain", "money_text", "price_text", "percent_text", "quantity_text", "day_text", "instant_text",
]  # fmt: skip
