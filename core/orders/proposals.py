"""What could go into the cart, row by row: quick order and reorder review the same kind of rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

from core.catalog.units import QuantityCheck, UnitInfo
from core.i18n import _, _l
from core.orders.articles import Article
from core.orders.draft import Wanted, price_lines
from core.spec.pricing import PriceLine
from core.ui.formats import price as format_price
from core.ui.formats import qty, typed
from core.ui.links import row_url

Outcome = Literal[
    "ok",
    "rounded",
    "replaced",
    "merged",
    "price_changed",
    "several",
    "not_allowed",
    "discontinued",
    "unknown",
    "no_price",
    "bad_quantity",
    "bad_unit",
    "gone",
]


@dataclass(frozen=True, slots=True)
class Said:
    """How an outcome is said: word, icon, tone; ``takes`` is true where the row can go into the cart as it is."""

    label: Any
    icon: str
    tone: str
    takes: bool = False


OUTCOMES: Mapping[str, Said] = {
    "ok": Said(_l("Ready"), "check2", "positive", True),
    "rounded": Said(_l("Quantity changed"), "arrow-up", "attention", True),
    "replaced": Said(_l("Replaced"), "arrow-right", "attention", True),
    "price_changed": Said(_l("Price changed"), "tag", "attention", True),
    "merged": Said(_l("Added to an earlier row"), "link-45deg", "info"),
    "several": Said(_l("Several matches"), "question-circle", "attention"),
    "not_allowed": Said(_l("Not available to you"), "lock", "danger"),
    "discontinued": Said(_l("No longer sold"), "x-circle", "danger"),
    "gone": Said(_l("No longer exists"), "x-circle", "danger"),
    "unknown": Said(_l("Not found"), "search", "danger"),
    "no_price": Said(_l("No price"), "tag", "danger"),
    "bad_quantity": Said(_l("Check the quantity"), "exclamation-triangle", "danger"),
    "bad_unit": Said(_l("Check the unit"), "exclamation-triangle", "danger"),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """An article among which the buyer chooses: several matches, or proposals for something not found."""

    sku: str
    name: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A row, what became of it and why; ``article``, ``unit`` and ``quantity`` are what would go into the cart.

    ``wrong`` is what was typed for a quantity and is none.
    """

    number: int
    text: str
    outcome: Outcome
    message: str = ""
    article: Article | None = None
    unit: UnitInfo | None = None
    quantity: Decimal | None = None
    reference: str = ""
    choices: tuple[Choice, ...] = ()
    price: PriceLine | None = None
    net: Decimal | None = None
    currency: str = ""
    before: Decimal | None = None
    wrong: str = ""

    @property
    def said(self) -> Said:
        """How the outcome is said."""
        return OUTCOMES[self.outcome]

    @property
    def takes(self) -> bool:
        """True where the row can go into the cart as it is."""
        return self.said.takes

    @property
    def fixable(self) -> bool:
        """True where the article is known and only its quantity or unit has to be mended."""
        return self.article is not None and self.outcome in ("bad_quantity", "bad_unit")

    @property
    def url(self) -> str:
        """The article's page, '' where there is none or it may not be opened."""
        return row_url("catalog.product", self.article.sku) if self.article else ""

    @property
    def typed_quantity(self) -> str:
        """The quantity for a form field, as it was typed where it is none."""
        return self.wrong or typed(self.quantity)


def priced(proposals: Sequence[Proposal], *, compare: bool = False) -> tuple[Proposal, ...]:
    """Check quantities and prices of the rows that may be taken, in a constant number of statements.

    A quantity that is not sold is rounded, a row without price says so. ``compare`` tells of prices that differ from
    ``before`` (per one unit).
    """
    open_rows = {str(p.number): p for p in proposals if p.takes and p.article and p.unit and p.quantity is not None}
    wanted = [Wanted(key, p.article.id, p.unit.unit, p.quantity) for key, p in open_rows.items()]  # type: ignore[union-attr, arg-type]
    result = price_lines(wanted, charged=False)
    first = result.by_key()
    again = [replace(w, quantity=to) for w in wanted if (to := first[w.key].check.rounded) and to != w.quantity]
    final = {**first, **(price_lines(again, charged=False).by_key() if again else {})}
    found = []
    for p in proposals:
        row = replace(p, currency=result.currency)
        if line := final.get(str(p.number)):
            row = replace(row, price=line.price, net=line.net, quantity=line.quantity)
            row = _judged(row, first[line.key].check, compare)
        found.append(row)
    return tuple(found)


def summary(proposals: Iterable[Proposal]) -> tuple[int, int, int]:
    """Return how many rows can be taken, were merged into others, and need a decision."""
    rows = list(proposals)
    taken = sum(p.takes for p in rows)
    merged = sum(p.outcome == "merged" for p in rows)
    return taken, merged, len(rows) - taken - merged


def _judged(row: Proposal, check: QuantityCheck, compare: bool) -> Proposal:
    if not check.ok and check.rounded is None:
        return replace(row, outcome="bad_quantity", message=check.reason)
    if row.price is None or row.price.price is None:
        message = _("There is no price for you in %(unit)s; ask us for a quote.", unit=row.unit.unit if row.unit else "")
        return replace(row, outcome="no_price", message=message)
    if not check.ok:
        message = _join(
            row.message, _("Changed to %(quantity)s. %(reason)s", quantity=qty(row.quantity), reason=check.reason)
        )  # type: ignore[arg-type]
        return replace(row, outcome="rounded" if row.outcome == "ok" else row.outcome, message=message)
    now = row.price.price / row.price.per
    if compare and row.outcome == "ok" and row.before is not None and now != row.before:
        return replace(row, outcome="price_changed", message=_price_message(row, now))
    return row


def _price_message(row: Proposal, now: Decimal) -> str:
    before, after = format_price(row.before, row.currency), format_price(now, row.currency)  # type: ignore[arg-type]
    return _("%(before)s became %(now)s.", before=before, now=after)


def _join(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)
