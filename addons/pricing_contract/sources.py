"""The contracts of one question, in the one order in which they are looked at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from core.api.i18n import translations
from core.api.pricing import PriceContext

from . import query

_, _l, ngettext, _p = translations(__name__)

POLICY_ORDER = {"override": 0, "best_of": 1, "fallback": 2}
_AUDIENCE_ORDER = {"company": 0, "segment": 1, "location": 2, "public": 3}


@dataclass(frozen=True)
class Source:
    """A contract as the engine sees it. ``place`` orders sources: nearest company, segment, country, everybody; then
    the larger priority, the stricter policy, the code. Neither ids nor the order of edits decide anything."""

    id: int
    code: str
    name: str
    audience: str
    policy: str
    priority: int
    show_list: bool
    place: tuple[int, int, int, int, str]
    below_first: str = "none"
    closes: bool = False
    by_wished: bool = False
    progressive: bool = False
    counts: str = "line"
    period: str = ""
    company_id: int | None = None
    #: the first instant of the contract, as the driver gives it
    begins: Any = None

    @property
    def since(self) -> datetime:
        """The first instant of the contract."""
        return instant_of(self.begins)

    @cached_property
    def final(self) -> bool:
        """Whether a price of its row decides alone, whatever follows."""
        return self.policy == "override" and not self.progressive

    @cached_property
    def key(self) -> str:
        """What a price of this contract names as its source."""
        return f"contract:{self.code}"

    @cached_property
    def nothing(self) -> object:
        """Why a product has no price where nothing follows this contract."""
        return _l("Only what %(name)s names has a price for you: ask for a quote.", name=self.name)

    @cached_property
    def reason(self) -> object:
        """The short reason for buyers."""
        if self.audience == "company":
            return _l("Your contract price (%(name)s)", name=self.name)
        if self.audience == "public":
            return _l("Price list %(name)s", name=self.name)
        return _l("Your price list %(name)s", name=self.name)


def sources_of(rows: Iterable[Any], where: PriceContext) -> dict[int, Source]:
    """Return the contracts by id, ordered by their place; each row carries another contract."""
    depth = {company_id: i for i, company_id in enumerate(where.company_ids)}
    found = {row[0]: _source(row, depth) for row in rows}
    return dict(sorted(found.items(), key=lambda item: item[1].place))


def _source(row: Any, depth: Mapping[int, int]) -> Source:
    audience, policy, priority, code = (
        row[query.AUDIENCE],
        row[query.POLICY],
        row[query.PRIORITY],
        row[query.CODE],
    )
    near = depth.get(row[query.COMPANY], 0) if audience == "company" else 0
    place = (_AUDIENCE_ORDER[audience], near, -priority, POLICY_ORDER[policy], code)
    switches = row[query.BELOW_FIRST], bool(row[query.CLOSES]), row[query.DATE_BASIS] == "wished"
    breaks = row[query.BREAKS] == "progressive", row[query.COUNTS], row[query.PERIOD]
    head = row[0], code, row[query.NAME], audience, policy, priority, bool(row[query.SHOW_LIST]), place
    return Source(*head, *switches, *breaks, row[query.COMPANY], row[query.CONTRACT_FROM])


def instant_of(value: Any) -> datetime:
    """Return the instant that the driver gave: a text on SQLite, a datetime on PostgreSQL."""
    return value if isinstance(value, datetime) else datetime.fromisoformat(value).replace(tzinfo=UTC)
