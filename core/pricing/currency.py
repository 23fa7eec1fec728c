"""Currency rates by date: a missing rate is an error that names the pair and the date, never a guess."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import and_, func, or_, select

from core.data.db import db
from core.i18n import _
from core.pricing.models import CurrencyRate
from core.spec.errors import Invalid

ONE = Decimal(1)


class Rate(NamedTuple):
    """What one unit of the source currency costs in the target, the day it is from, and where it came from."""

    value: Decimal
    day: date
    origin: str


class RateMissing(Invalid):
    """There is no rate for a pair of currencies on or before a day."""

    def __init__(self, source: str, target: str, day: date) -> None:
        super().__init__(
            "CURRENCY-RATE-MISSING",
            _(
                "There is no rate from %(source)s to %(target)s on or before %(day)s: import one as currency_rates.",
                source=source, target=target, day=day.isoformat(),
            ),
            details={"from": source, "to": target, "date": day.isoformat()},
        )  # fmt: skip


def rate(source: str, target: str, day: date) -> Decimal:
    """Return how many ``target`` one ``source`` costs on ``day``: the newest rate not after it, either way round.

    Raises RateMissing.
    """
    return rates([(source, target)], day)[source, target].value


def rates(pairs: Iterable[tuple[str, str]], day: date) -> dict[tuple[str, str], Rate]:
    """Return the rate of each pair on ``day``, in one statement; RateMissing for the first pair that has none."""
    wanted = list(pairs)
    found = known_rates(wanted, day)
    for source, target in wanted:
        if (source, target) not in found:
            raise RateMissing(source, target, day)
    return found


def known_rates(pairs: Iterable[tuple[str, str]], day: date) -> dict[tuple[str, str], Rate]:
    """Return the rate on ``day`` of each pair that has one, in one statement. One the other way round serves, inverted."""
    wanted = list(dict.fromkeys(pairs))
    found = {pair: Rate(ONE, day, "") for pair in wanted if pair[0] == pair[1]}
    foreign = [pair for pair in wanted if pair not in found]
    if not foreign:
        return found
    stored = _newest(foreign, day)
    for source, target in foreign:
        direct, inverse = stored.get((source, target)), stored.get((target, source))
        if direct is not None and (inverse is None or direct.day >= inverse.day):
            found[source, target] = direct
        elif inverse is not None and inverse.value:
            found[source, target] = Rate(ONE / inverse.value, inverse.day, inverse.origin)
    return found


def _newest(pairs: list[tuple[str, str]], day: date) -> dict[tuple[str, str], Rate]:
    condition = or_(
        *(and_(CurrencyRate.source == a, CurrencyRate.target == b) for x, y in pairs for a, b in ((x, y), (y, x)))
    )
    newest = (
        select(CurrencyRate.source, CurrencyRate.target, func.max(CurrencyRate.day).label("day"))
        .where(condition, CurrencyRate.day <= day)
        .group_by(CurrencyRate.source, CurrencyRate.target)
        .subquery()
    )
    statement = select(
        CurrencyRate.source, CurrencyRate.target, CurrencyRate.rate, CurrencyRate.day, CurrencyRate.origin
    ).join(
        newest,
        and_(
            CurrencyRate.source == newest.c.source,
            CurrencyRate.target == newest.c.target,
            CurrencyRate.day == newest.c.day,
        ),
    )
    return {(row.source, row.target): Rate(row.rate, row.day, row.origin) for row in db.session.execute(statement)}
