"""Access marks, forms, lists and formats, as addons may use them."""

from core.ui.access import public, requires
from core.ui.fields import ChoiceField, CodeField, DayField, NumberField, PriceField, QuantityField
from core.ui.formats import day as day_text
from core.ui.formats import instant as instant_text
from core.ui.formats import money as money_text
from core.ui.formats import percent as percent_text
from core.ui.formats import plain
from core.ui.formats import price as price_text
from core.ui.formats import qty as quantity_text
from core.ui.forms import TukkuForm
from core.ui.links import optional_url
from core.ui.listing import show_list
from core.ui.listpage import Empty
from core.ui.resource import Field, Resource, View

__all__ = [
    # who may call a view
    "requires", "public",
    # forms
    "TukkuForm", "ChoiceField", "CodeField", "DayField", "NumberField", "PriceField", "QuantityField",
    # lists
    "Resource", "Field", "View", "Empty", "show_list", "optional_url",
    # figures and dates in the reader's locale
    "plain", "money_text", "price_text", "percent_text", "quantity_text", "day_text", "instant_text",
]  # fmt: skip
