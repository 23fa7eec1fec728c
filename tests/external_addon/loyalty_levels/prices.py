"""The discount: a step of the stage CAMPAIGN, so after contracts; one statement, whatever the number of lines."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import select

from core.api.data import db
from core.api.hooks import PriceStep
from core.api.i18n import translations
from core.api.pricing import PriceBatch, PriceStage, computed_places, minor_digits
from core.api.settings import get

from .models import Level, Standing

_, _l, ngettext, _p = translations(__name__)
STEP = "loyalty_levels"


class Facts(NamedTuple):
    """The buyer's level, and the category that gets nothing off."""

    percent: Decimal
    name: str
    sale: str


def prepare(batch: PriceBatch) -> Facts | None:
    """Read the level of the company; None without one."""
    if batch.context.company_id is None:
        return None
    query = (
        select(Level.percent, Level.name)
        .join(Standing, Standing.level_id == Level.id)
        .where(Standing.company_id == batch.context.company_id)
    )
    found = db.session.execute(query).one_or_none()
    code = get("loyalty_levels", "sale_category")
    return Facts(found.percent, found.name, f"/{code}/" if code else "") if found else None


def apply(batch: PriceBatch, facts: Facts) -> None:
    """Take the level's percent off every price that is not of the sale, nor locked by an earlier step."""
    if not facts.percent:
        return
    digits = minor_digits(batch.context.currency)
    reason = _l("Loyalty level %(name)s", name=facts.name)
    for line in batch.lines:
        if line.price is None or line.locked_by or (facts.sale and facts.sale in line.category_path):
            continue
        before = line.price
        places = computed_places(before, digits)
        line.set_price(before * (100 - facts.percent) / 100, places=places, source=STEP, reason=reason)
        if batch.explain:
            line.note(STEP, before, reason)


STEPS = (PriceStep(STEP, PriceStage.CAMPAIGN, apply, prepare),)
