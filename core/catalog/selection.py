"""What a reader asked of a product list, as the address says it, and the addresses of what could be asked next.

``q`` words, ``c`` category, ``a.<attribute>`` values (repeated), ``a.<attribute>.min`` and ``.max`` bounds,
``sort``, ``view``, ``page``. Unknown parts are dropped, so an old bookmark shows a list rather than an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from urllib.parse import urlencode

from core.catalog.search.query import LONGEST_TEXT
from core.catalog.structure import AttributeInfo, CategoryNode, Tree
from core.i18n.numbers import read_number, read_plain
from core.spec.errors import Invalid

VIEWS = ("table", "cards")
#: Sorts that every list has; ``attribute:<code>`` and, within a bound, ``price`` come on top. "-" in front turns it round.
SORTS = ("code", "name", "price")
#: Nobody reads page 400 of a list; further in, filters help.
LAST_PAGE = 400
_MOST_VALUES = 50


@dataclass(frozen=True, slots=True)
class Bounds:
    """A range of a number; None leaves that side open."""

    low: Decimal | None = None
    high: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """A product list that was asked for."""

    text: str = ""
    category: CategoryNode | None = None
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    bounds: Mapping[str, Bounds] = field(default_factory=dict)
    sort: str = ""
    view: str = VIEWS[0]
    page: int = 1

    @property
    def chosen(self) -> tuple[str, ...]:
        """The attributes by which the list is narrowed."""
        return tuple(dict.fromkeys((*self.values, *self.bounds)))

    @property
    def key(self) -> tuple[tuple[str, str], ...]:
        """All that was asked for, to compare and to look up by."""
        return tuple(self.pairs(category=True))

    def pairs(self, *, category: bool) -> list[tuple[str, str]]:
        """Return the parts of the address; ``category`` where the path does not say it."""
        made = [("q", self.text)] if self.text else []
        if category and self.category:
            made.append(("c", self.category.code))
        made += [(f"a.{code}", value) for code, values in self.values.items() for value in values]
        for code, bound in self.bounds.items():
            made += [(f"a.{code}.min", f"{bound.low:f}")] if bound.low is not None else []
            made += [(f"a.{code}.max", f"{bound.high:f}")] if bound.high is not None else []
        if self.sort:
            made.append(("sort", self.sort))
        if self.view != VIEWS[0]:
            made.append(("view", self.view))
        if self.page > 1:
            made.append(("page", str(self.page)))
        return made

    def toggled(self, code: str, value: str) -> Selection:
        """Return the selection with a value of an attribute put in or taken out."""
        held = self.values.get(code, ())
        now = tuple(v for v in held if v != value) if value in held else (*held, value)
        values = {**self.values, code: now}
        return replace(self, values={c: v for c, v in values.items() if v}, page=1)

    def without(self, code: str) -> Selection:
        """Return the selection without an attribute."""
        return replace(
            self,
            values={c: v for c, v in self.values.items() if c != code},
            bounds={c: b for c, b in self.bounds.items() if c != code},
            page=1,
        )

    def cleared(self) -> Selection:
        """Return the selection without any attribute."""
        return replace(self, values={}, bounds={}, page=1)


def read(
    arguments: Iterable[tuple[str, str]],
    tree: Tree,
    attributes: Mapping[str, AttributeInfo],
    category: CategoryNode | None = None,
) -> Selection:
    """Return what the arguments of an address ask for."""
    values: dict[str, list[str]] = {}
    bounds: dict[str, Bounds] = {}
    plain: dict[str, str] = {}
    for name, value in arguments:
        if not name.startswith("a."):
            plain.setdefault(name, value)
        elif value:
            _read_attribute(name[2:], value, attributes, values, bounds)
    return Selection(
        text=" ".join(plain.get("q", "")[:LONGEST_TEXT].split()),
        category=category or _shown(tree, plain.get("c", "")),
        values={code: tuple(dict.fromkeys(found)) for code, found in values.items()},
        bounds=bounds,
        sort=_sort(plain.get("sort", ""), attributes),
        view=plain.get("view", "") if plain.get("view") in VIEWS else VIEWS[0],
        page=_page(plain.get("page", "")),
    )


def _read_attribute(
    name: str, value: str, attributes: Mapping[str, AttributeInfo], values: dict[str, list[str]], bounds: dict[str, Bounds]
) -> None:
    code, _dot, side = name.rpartition(".")
    if side in ("min", "max") and code in attributes and attributes[code].numeric:
        number = _bound(value)
        if number is not None:
            bounds[code] = replace(bounds.get(code, Bounds()), **{"low" if side == "min" else "high": number})
    elif name in attributes and len(values.get(name, ())) < _MOST_VALUES:
        values.setdefault(name, []).append(value[:250])


def _bound(value: str) -> Decimal | None:
    for read in (read_number, read_plain):  # our own links write plain numbers, whatever the locale
        with suppress(Invalid):
            number = read(value)
            return round(number, 6) if abs(number) < 10**12 else None
    return None


def _shown(tree: Tree, code: str) -> CategoryNode | None:
    node = tree.by_code.get(code)
    return node if node and tree.shown(node) else None


def _sort(value: str, attributes: Mapping[str, AttributeInfo]) -> str:
    name = value.removeprefix("-")
    known = name in SORTS or (name.startswith("attribute:") and name.removeprefix("attribute:") in attributes)
    return value if known else ""


def _page(value: str) -> int:
    return min(max(int(value), 1), LAST_PAGE) if value.isascii() and value.isdigit() and len(value) < 7 else 1


def query_string(pairs: Iterable[tuple[str, str]]) -> str:
    """Return the part of an address behind the question mark, with it; '' for none."""
    text = urlencode(list(pairs))
    return f"?{text}" if text else ""
