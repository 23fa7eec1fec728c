"""Rows that somebody else changed since a page, a trial or a preview was made: what is written over them is not unseen.

A page that takes rows which it does not show (a paste, a percentage, a prepared change) carries a `Mark` of the moment at
which it was made. Where nobody has changed the contract since, the question costs one statement.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import func, or_, select

from core.api.companies import seller
from core.api.data import clock, current_actor, db
from core.api.hooks import Invalid
from core.api.i18n import translations
from core.api.ui import instant_text

from .days import last_day
from .describe import terms_text
from .history_models import Deed, PastRow
from .models import Contract, ContractPrice
from .past import KEY, Terms, terms_of
from .saving import Key, groups

_, _l, ngettext, _p = translations(__name__)
#: Means by which programs and files write, as opposed to people.
BY_PROGRAMS = ("import", "api")


class Mark(NamedTuple):
    """A moment: the contract's last deed by then (-1 for none, 0 where none is asked for), and the instant.

    Either alone would miss something: a save that is under way has no deed yet, a long file adds to a deed of earlier.
    """

    deed: int
    at: datetime

    @property
    def text(self) -> str:
        """The mark as a form carries it."""
        return f"{self.deed}:{self.at.isoformat()}"


def mark_of(contract: Contract) -> Mark:
    """Return the mark of now."""
    return Mark(db.session.scalar(select(func.max(Deed.id)).where(Deed.contract_id == contract.id)) or -1, clock.now())


def read_mark(text: str) -> Mark:
    """Return the mark that a form carries; Invalid if it is none."""
    deed, _colon, at = text.partition(":")
    try:
        found = Mark(int(deed), datetime.fromisoformat(at))
    except ValueError:
        found = None
    if found is None or found.at.tzinfo is None:
        raise Invalid("CONTRACT-ROW", _("The page that was sent is not complete; load it again."))
    return found


@dataclass(frozen=True, slots=True)
class Moved:
    """A row that was changed since: by which deed last, what it said before the first change, and what it says now."""

    deed: Deed
    before: Terms | None
    now: Terms | None

    def differs(self, values: Mapping[str, Any]) -> bool:
        """Tell whether a row with these values would say something else than what stands."""
        said = {name: value for name, value in values.items() if name in _FIELDS}
        return self.now is None or any(getattr(self.now, _FIELDS[name]) != value for name, value in said.items())

    def sentence(self, currency: str) -> str:
        """Return who did what, when, from what to what."""
        who, when = self.deed.actor, instant_text(self.deed.at)
        before, now = in_words(self.before, currency), in_words(self.now, currency)
        if self.now is None:
            return _("%(who)s took this out on %(when)s; it was “%(before)s”.", who=who, when=when, before=before)
        if self.before is None:
            return _("%(who)s added this on %(when)s: “%(now)s”.", who=who, when=when, now=now)
        return _(
            "%(who)s changed this on %(when)s from “%(before)s” to “%(now)s”.", who=who, when=when, before=before, now=now
        )


_FIELDS = {"kind": "kind", "value": "value", "per": "per", "valid_until": "valid_until", "terms": "formula"}


def in_words(terms: Terms | None, currency: str) -> str:
    """Return what a row says, '' for none."""
    if terms is None:
        return ""
    until = last_day(terms.valid_until, ZoneInfo(seller().zone))
    return terms_text(terms.kind, terms.value, terms.per, until, currency, terms.formula)


def moved(keys: Iterable[Key], since: Mark, *, own: bool = False) -> dict[Key, Moved]:
    """Return those of the rows that were changed, added or taken out since, by key; what the actor did only with ``own``.

    One that says again what it said then is not among them. One statement where nobody changed the contracts, and then two
    more for each `saving.AT_ONCE` products.
    """
    wanted = set(keys)
    contracts = {key[0] for key in wanted}
    deeds = later(contracts, since)
    if not deeds:
        return {}
    now, before = {}, {}
    last: dict[Key, int] = {}
    for targets in groups(sorted({key[1] for key in wanted})):
        for past in _rows(PastRow, contracts, targets, PastRow.ended_by.in_(deeds)):
            key = _key(past)
            before.setdefault(key, past if past.made_by not in deeds else None)
            last[key] = past.ended_by
        for row in _rows(ContractPrice, contracts, targets, ContractPrice.deed_id.in_(deeds)):
            now[_key(row)], last[_key(row)] = row, row.deed_id or 0
    me = None if own else current_actor().user_id
    found = {
        key: Moved(deeds[deed], terms_of(before.get(key)), terms_of(now.get(key)))
        for key, deed in last.items()
        if key in wanted and (me is None or deeds[deed].actor_id != me)
    }
    return {key: one for key, one in found.items() if one.before != one.now}


def later(contracts: Collection[int], since: Mark) -> dict[int, Deed]:
    """Return what was done to contracts since, by id; one statement."""
    then = or_(Deed.at > since.at, Deed.id > since.deed) if since.deed else Deed.at > since.at
    return {one.id: one for one in db.session.scalars(select(Deed).where(Deed.contract_id.in_(contracts), then))}


def _rows(model: Any, contracts: Collection[int], targets: Sequence[int], changed: Any) -> Iterable[Any]:
    query = select(model).where(model.contract_id.in_(contracts), model.target.in_(targets), changed)
    order = (PastRow.id,) if model is PastRow else ()
    return db.session.scalars(query.order_by(*order).execution_options(populate_existing=True))


def _key(row: Any) -> Key:
    return (row.contract_id, *(getattr(row, name) for name in KEY))  # type: ignore[return-value]


def by_hand(rows: Mapping[Any, Mapping[str, Any]], currencies: Mapping[int, str]) -> dict[Any, str]:
    """Return, for those of the rows (as columns, by any tag) that a person set last, who and when, as a sentence."""
    wanted = {row["deed_id"] for row in rows.values() if row["deed_id"] is not None}
    query = select(Deed).where(Deed.id.in_(wanted), Deed.means.not_in(BY_PROGRAMS))
    deeds = {one.id: one for one in db.session.scalars(query)} if wanted else {}
    return {
        tag: _replaced(row, deeds[row["deed_id"]], currencies[row["contract_id"]])
        for tag, row in rows.items()
        if row["deed_id"] in deeds
    }


def _replaced(row: Mapping[str, Any], deed: Deed, currency: str) -> str:
    before = Terms(row["kind"], row["value"], row["per"], row["valid_until"], row["terms"])
    return _(
        "Replaces what %(who)s set by hand on %(when)s: “%(before)s”.",
        who=deed.actor,
        when=instant_text(deed.at),
        before=in_words(before, currency),
    )
