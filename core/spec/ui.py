"""What an addon contributes to pages: navigation, panels, form sections, columns, filters, actions.

Pages and slots are named in ``PAGES``; a key that is not there stops the build with a suggestion.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from flask_wtf import FlaskForm
    from sqlalchemy import Select

#: page key -> its slots
PAGES: dict[str, tuple[str, ...]] = {
    "storefront.home": ("main", "side"),
    "storefront.product": ("price", "main", "side", "tabs"),
    "storefront.cart": ("main", "side"),
    "storefront.checkout": ("main", "side"),
    "storefront.thanks": ("main",),
    "storefront.order": ("main", "side", "tabs"),
    "storefront.account": ("main", "side"),
    "storefront.company": ("main", "side"),
    "storefront.people": ("main",),
    "backoffice.home": ("main", "side"),
    "backoffice.company": ("main", "side", "tabs"),
    "backoffice.segment": ("main",),
    "backoffice.product": ("main", "side", "tabs"),
    "backoffice.order": ("main", "side", "tabs"),
}
#: sizes of cards on the back-office's home: stat figures, rows of what waits, half or the whole width
CARD_SIZES = ("figures", "queue", "half", "wide")
#: list keys that take columns, filters and actions of addons; besides these an addon's own, "<addon>.<list>"
LISTS = ("catalog.products", "companies.companies", "orders.orders", "accounts.users")
#: form keys that take sections of addons
FORMS = ("company.edit", "product.edit", "address.edit")
#: back-office groups, in the order of the side bar
SECTIONS = ("sales", "customers", "catalogue", "prices", "finance", "deliveries", "reports", "setup")
SHOP_SECTIONS = ("main", "account")


@dataclass(frozen=True, slots=True)
class NavItem:
    """A link in the side bar (``face="admin"``) or the shop's menus; ``badge`` returns a count or None."""

    key: str
    label: object
    endpoint: str
    permission: str
    section: str
    face: Literal["shop", "admin"] = "admin"
    icon: str = ""
    badge: Callable[[], int | None] | None = None
    order: int = 100


@dataclass(frozen=True, slots=True)
class PageContext:
    """What a panel's ``load`` receives: the page's key and its subject's public code and id."""

    page: str
    subject_id: int | None = None
    subject_code: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel in a slot: ``load(context)`` returns the template's values, or None to hide it; it may read, never write."""

    key: str
    page: str
    slot: str
    template: str
    load: Callable[[PageContext], Mapping[str, Any] | None]
    title: object = ""
    permission: str = ""
    order: int = 100


@dataclass(frozen=True, slots=True)
class Card:
    """A card on the back-office's home: ``load(context)`` returns the template's values, or None to hide it.

    ``size`` places it: ``figures`` draws stats in the row at the top, ``queue`` rows among what waits (their templates
    use ``ui.stat`` and ``ui.queue``), ``half`` and ``wide`` a panel with the title.
    """

    key: str
    template: str
    load: Callable[[PageContext], Mapping[str, Any] | None]
    size: Literal["figures", "queue", "half", "wide"] = "half"
    title: object = ""
    permission: str = ""
    order: int = 100


@dataclass(frozen=True, slots=True)
class FormSection:
    """A sub-form of a core form, validated with it and saved in its transaction.

    ``load(subject_id) -> mapping`` fills the form; ``save(subject_id, data)`` writes after the core object is flushed.
    """

    key: str
    form: str
    form_class: type[FlaskForm] | type[Any]
    load: Callable[[int | None], Mapping[str, Any]]
    save: Callable[[int, Mapping[str, Any]], None]
    title: object = ""
    permission: str = ""
    order: int = 100


@dataclass(frozen=True, slots=True)
class Column:
    """A list column computed for the whole page at once: ``values(ids) -> {id: value}``.

    With ``money`` a value is a pair of amount and currency. ``on_card``: it stands on the card of a phone too.
    """

    key: str
    list: str
    label: object
    values: Callable[[Sequence[int]], Mapping[int, Any]]
    permission: str = ""
    numeric: bool = False
    default: bool = True
    order: int = 100
    money: bool = False
    on_card: bool = False


@dataclass(frozen=True, slots=True)
class ListFilter:
    """A list filter: ``select(value)`` returns a SELECT of the ids to keep; ``choices()`` its values and labels."""

    key: str
    list: str
    label: object
    select: Callable[[str], Select[tuple[int]]]
    choices: Callable[[], Sequence[tuple[str, object]]]
    permission: str = ""
    order: int = 100


@dataclass(frozen=True, slots=True)
class Action:
    """A button on a list's selection: posts the chosen codes to ``endpoint``."""

    key: str
    list: str
    label: object
    endpoint: str
    permission: str
    icon: str = ""
    dangerous: bool = False
    order: int = 100
