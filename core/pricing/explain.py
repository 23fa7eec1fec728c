"""An explanation of one price, made of the engine's own trace: the same for the staff's page, the command and tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from core.companies.models import Company
from core.data.db import db
from core.i18n import _
from core.pricing import pipeline, services
from core.pricing.money import line_net
from core.spec.errors import NotFound
from core.spec.pricing import Break, PriceContext, PriceLine
from core.ui.formats import plain


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a company pays what it pays: candidates, steps, source and instant; ``net`` is of the whole quantity."""

    company: str
    context: PriceContext
    line: PriceLine
    net: Decimal | None
    ladder: Sequence[Break]

    def title_of(self, step: str) -> str:
        """Return what staff call a step of the trace; its name where it has no title."""
        return pipeline.titles().get(step, step)

    @property
    def wished(self) -> date | None:
        """The wished day of delivery, as the seller's calendar has it."""
        at = self.context.wished
        return at.astimezone(ZoneInfo(self.context.zone)).date() if at else None

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON: decimals as text, sentences in the reader's language."""
        line, where = self.line, self.context
        return {
            "company": self.company or None,
            "product": line.sku,
            "unit": line.unit,
            "quantity": plain(line.quantity),
            "currency": where.currency,
            "instant": where.instant.isoformat(),
            "wished": self.wished.isoformat() if self.wished else None,
            "price": _number(line.price),
            "per": plain(line.per),
            "net": _number(self.net),
            "list_price": _number(line.list_price),
            "source": line.source or None,
            "reference": line.reference or None,
            "reason": str(line.reason),
            "derived": line.derived,
            "ladder": [
                {"from": plain(rung.min_quantity), "price": plain(rung.price), "per": plain(rung.per), "part": rung.part}
                for rung in self.ladder
            ],
            "bands": [
                {"quantity": plain(band.quantity), "price": plain(band.price), "per": plain(band.per)} for band in line.bands
            ],
            "steps": [
                {
                    "step": entry.step,
                    "title": self.title_of(entry.step),
                    "before": _number(entry.before),
                    "after": _number(entry.after),
                    "reason": str(entry.reason),
                    "reference": entry.reference or None,
                }
                for entry in line.trace
            ],
            "candidates": [
                {
                    "source": candidate.source,
                    "label": candidate.label,
                    "price": _number(candidate.price),
                    "per": plain(candidate.per),
                    "unit": candidate.unit,
                    "from": plain(candidate.min_quantity),
                    "for": str(candidate.selector),
                    "rule": str(candidate.rule),
                    "lost": str(candidate.lost) or None,
                }
                for candidate in line.candidates
            ],
        }

    def for_buyer(self) -> dict[str, Any]:
        """Return the short, truthful part: what it costs, why, from which quantity less; nobody else's terms."""
        whole = self.as_dict()
        return {name: value for name, value in whole.items() if name not in ("steps", "candidates", "reference")}


def explain(
    company_code: str,
    sku: str,
    quantity: Decimal,
    *,
    unit: str = "",
    at: datetime | None = None,
    currency: str | None = None,
    wished: date | None = None,
) -> Explanation:
    """Return the explanation of a price for a company ('' is a visitor), at a past or future instant if asked.

    ``wished`` is the day of delivery that an order would ask for.
    """
    where = services.context(currency, at, company_id_of(company_code), wished)
    line = services.price_one(where, sku, quantity, unit, explain=True)
    net = None if line.price is None else line_net(quantity, line.price, line.per, where.currency)
    pair = (line.product_id, line.unit)
    return Explanation(company_code, where, line, net, services.ladders(where, [pair]).get(pair, ()))


def company_id_of(code: str) -> int | None:
    """Return the id of the company with ``code``; None for ''."""
    if not code:
        return None
    found = db.session.scalar(select(Company.id).where(Company.code == code))
    if found is None:
        raise NotFound("COMPANY-UNKNOWN", _('There is no company with the code "%(code)s".', code=code))
    return found


def _number(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)
