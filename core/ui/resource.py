"""A resource declares its fields once; lists, filters, sorting, totals and exports derive from them.

Example::

    ORDERS = Resource(
        key="orders.orders", title=_l("Orders"), id=Order.id, code="number",
        source=lambda s: s.join(Company, Company.id == Order.company_id),
        where=lambda: [Order.state != "cart"],
        fields=(
            Field("number", _l("Number"), Order.number, "code", search=True),
            Field("company", _l("Company"), Company.name, search=True),
            Field("state", _l("State"), Order.state, "state", choices=state_choices),
            Field("net", _l("Net total"), Order.net, "money", extra="currency", total=True),
            Field("currency", _l("Currency"), Order.currency, shown=False),
        ),
        order="-submitted", endpoint="orders_admin.order", search_label=_l("Find by number or company"),
    )
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import Select, select

from core.data.scope import Actor, actor_or_none
from core.ui.keyset import Sort

Kind = Literal["text", "code", "number", "quantity", "money", "price", "percent", "day", "instant", "state", "bool"]
NUMERIC: frozenset[str] = frozenset({"number", "quantity", "money", "price", "percent"})
Pairs = Sequence[tuple[str, object]]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a resource.

    ``expression`` is SQL; ``extra`` names the field that holds the currency of money and prices or the unit of a
    quantity. ``show(value)`` turns the stored value into what is read (a translated name); ``choices`` gives
    values and labels and makes the filter a choice. ``permission`` is needed to see the field at all, to filter
    and to export it; ``write_permission`` to change it by import or API. ``total`` sums it under the filter.
    """

    name: str
    label: object
    expression: Any
    kind: Kind = "text"
    extra: str = ""
    choices: Callable[[], Pairs] | None = None
    show: Callable[[Any], Any] | None = None
    search: bool = False
    sort: bool = True
    filter: bool = True
    total: bool = False
    #: False: kept out of the columns unless chosen
    shown: bool = True
    #: False: left out of the card on a phone
    on_card: bool = True
    #: False: never a column (a currency that stands beside its amount)
    column: bool = True
    permission: str = ""
    write_permission: str = ""

    @property
    def numeric(self) -> bool:
        """Tell whether the values are figures, which are set to the right."""
        return self.kind in NUMERIC


@dataclass(frozen=True, slots=True)
class View:
    """A ready-made selection of a list, shown as a tab: the URL's values that make it."""

    key: str
    label: object
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Resource:
    """Rows of one kind and their fields.

    ``id`` is the integer key (for paging, addon columns and filters), ``code`` the name of the field that stands
    in addresses. ``source`` adds joins, one row per id. ``where`` returns conditions at each request. ``order`` is
    the field sorted by at first, with "-" for descending. ``count`` says a number of rows in words.
    ``endpoint`` opens a row, given its code as the only argument; ``link`` computes the address instead.
    """

    key: str
    title: object
    id: Any
    code: str
    fields: tuple[Field, ...]
    order: str
    source: Callable[[Select[Any]], Select[Any]] | None = None
    where: Callable[[], Iterable[Any]] | None = None
    endpoint: str = ""
    link: Callable[[str], str] | None = None
    search_label: object = ""
    count: Callable[[int], str] | None = None
    views: tuple[View, ...] = ()
    page_size: int = 50

    def field(self, name: str) -> Field:
        """Return a field by name; KeyError if there is none."""
        return next((f for f in self.fields if f.name == name), None) or _missing(self.key, name)

    def sort(self, field: Field, *, descending: bool) -> Sort:
        """Return the order by a field; amounts are sorted within their currency."""
        group = self.field(field.extra).expression if field.kind in ("money", "price") and field.extra else None
        return Sort(field.expression, self.id, descending, group)

    def readable(self, actor: Actor | None = None) -> tuple[Field, ...]:
        """Return the fields that the actor (default: the current one) may read."""
        who = actor or actor_or_none()
        return tuple(f for f in self.fields if not f.permission or (who is not None and who.may(f.permission)))

    def writable(self, actor: Actor | None = None) -> tuple[Field, ...]:
        """Return the fields that the actor may change through imports and the API."""
        who = actor or actor_or_none()
        return tuple(f for f in self.readable(who) if f.write_permission and who is not None and who.may(f.write_permission))

    def select(self, *columns: Any) -> Select[Any]:
        """Return a SELECT of `columns` from the resource's rows, with its joins and its own conditions."""
        statement = select(*columns).select_from(self.id.class_)
        statement = self.source(statement) if self.source else statement
        return statement.where(*(self.where() if self.where else ()))


def _missing(key: str, name: str) -> Field:
    raise KeyError(f"{key} has no field {name}")
