"""What a list page holds for its template: plain values, no questions to the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.i18n import _l
from core.registry.registry import Contribution
from core.ui.resource import Field
from core.ui.saved import SavedView


@dataclass(frozen=True, slots=True)
class Empty:
    """What an empty list says: what would stand here, why there is nothing, and the next step."""

    title: object
    text: object = ""
    icon: str = "inbox"
    action_label: object = ""
    action_url: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the page: a field of the resource, or an addon's (``source``); ``beside`` heads its currency or unit."""

    name: str
    label: object
    kind: str
    numeric: bool
    on_card: bool = True
    sort_url: str = ""
    sorted: str = ""
    field: Field | None = None
    source: Contribution[Any] | None = None
    beside: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A row: public code, address, and what each cell shows; ``extras`` holds currencies and units."""

    id: int
    code: str
    url: str
    cells: Mapping[str, Any]
    extras: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Total:
    """The sums of one currency under the filter."""

    label: str
    values: Mapping[str, Any]
    extra: str = ""


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter as the form shows it."""

    name: str
    label: object
    value: str
    choices: Sequence[tuple[str, object]] | None = None
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter in force as a sentence, and the address without it."""

    text: str
    remove_url: str


@dataclass(frozen=True, slots=True)
class Link:
    """An entry of a menu or a tab."""

    label: object
    url: str
    icon: str = ""
    current: bool = False
    count: int | None = None
    method: str = "post"
    shown: bool = False
    name: str = ""
    dangerous: bool = False


@dataclass(frozen=True, slots=True)
class Pager:
    """Where the page stands, in words, and its neighbours' addresses."""

    text: str
    first_url: str = ""
    previous_url: str = ""
    next_url: str = ""


@dataclass(frozen=True, slots=True)
class ViewMenu:
    """What may be done about saved views: ``query`` is what the list shows, ``current`` the view that is open.

    ``changed`` tells that the list no longer shows what the view holds; ``mine``, that the reader may change the view.
    """

    list: str
    path: str
    query: str
    current: SavedView | None = None
    changed: bool = False
    mine: bool = False
    may_share: bool = False


@dataclass(slots=True)
class ListPage:
    """Everything that ``components/table.html`` draws."""

    title: object
    path: str
    here: str
    query: str
    search_label: object
    columns: tuple[Column, ...] = ()
    rows: tuple[Row, ...] = ()
    filters: tuple[Filter, ...] = ()
    chips: tuple[Chip, ...] = ()
    problems: tuple[str, ...] = ()
    column_choices: tuple[Link, ...] = ()
    actions: tuple[Link, ...] = ()
    exports: tuple[Link, ...] = ()
    views: tuple[Link, ...] = ()
    view_menu: ViewMenu | None = None
    notice: str = ""
    totals: tuple[Total, ...] = ()
    count: int = 0
    pager: Pager = field(default_factory=lambda: Pager(""))
    clear_url: str = ""
    kept: tuple[tuple[str, str], ...] = ()
    kept_with_filters: tuple[tuple[str, str], ...] = ()
    kept_without_columns: tuple[tuple[str, str], ...] = ()
    empty: Empty = field(default_factory=lambda: Empty(_l("Nothing here yet")))
