"""Access marks, forms, lists and formats, as addons may use them."""

from core.ui.access import public, requires
from core.ui.export import ExportColumn, export_response
from core.ui.fields import ChoiceField, CodeField, DayField, NumberField, PriceField, QuantityField
from core.ui.filters import contains
from core.ui.formats import day as day_text
from core.ui.formats import instant as instant_text
from core.ui.formats import money as money_text
from core.ui.formats import percent as percent_text
from core.ui.formats import plain, typed
from core.ui.formats import price as price_text
from core.ui.formats import qty as quantity_text
from core.ui.formats import typed as typed_number
from core.ui.formats import unit_name as unit_text
from core.ui.forms import TukkuForm, refuse, show_form
from core.ui.links import optional_url, safe_next
from core.ui.listing import listed_codes, show_list
from core.ui.listpage import Empty
from core.ui.resource import Field, Resource, View

__all__ = [
    # who may call a view
    "requires", "public",
    # forms
    "TukkuForm", "show_form", "refuse", "ChoiceField", "CodeField", "DayField", "NumberField", "PriceField", "QuantityField",
    "typed_number",
    # lists
    "Resource", "Field", "View", "Empty", "show_list", "listed_codes", "optional_url", "safe_next", "contains",
    # files
    "ExportColumn", "export_response",
    # figures and dates in the reader's locale
    "plain", "typed", "money_text", "price_text", "percent_text", "quantity_text", "unit_text", "day_text",
    "instant_text",
]  # fmt: skip
