"""Create and change promotions; what cannot be meant is refused."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from core.api.data import audit, clock, db, write
from core.api.hooks import Conflict, Invalid, NotFound
from core.api.i18n import translations
from core.api.jobs import emit

from .models import Promotion

_, _l, ngettext, _p = translations(__name__)
HUNDRED = Decimal(100)
MOST = 1_000_000
AMOUNTS = ("amount", "amount_each")
#: Kinds that make whole units free.
FREE_UNITS = ("cheapest_free", "free_goods")


def by_code(code: str) -> Promotion:
    """Return the promotion with ``code``; NotFound if there is none."""
    found = db.session.scalar(select(Promotion).where(Promotion.code == code))
    if found is None:
        raise NotFound("PROMOTION-UNKNOWN", _('There is no promotion with the code "%(code)s".', code=code[:40]))
    return found


def save(promotion: Promotion | None, values: Mapping[str, Any], version: int | None = None) -> Promotion:
    """Create or change a promotion; Invalid names the field, Conflict where somebody changed it since ``version``."""
    check(values)
    now = clock.now()
    with write() as session:
        _check_codes(promotion, values)
        if promotion is None:
            promotion = Promotion(**values, created_at=now, updated_at=now)
            session.add(promotion)
            before = None
        else:
            promotion = session.get(Promotion, promotion.id, populate_existing=True) or promotion
            if version is not None and version != promotion.version:
                text = _("Somebody else has changed this promotion meanwhile. Look at it again, then save.")
                raise Conflict("PROMOTION-CHANGED", text)
            before = {name: getattr(promotion, name) for name in values}
            for name, value in values.items():
                setattr(promotion, name, value)
            promotion.updated_at = now
        session.flush()
        action = "created" if before is None else "changed"
        audit.record("promotion", promotion.code, action, before=before, after=values, addon="promotions")
        emit("price.changed", {"source": "promotions", "promotions": [promotion.code]})
    return promotion


def check(values: Mapping[str, Any]) -> None:
    """Refuse what cannot be meant."""
    kind, value = values["kind"], values["value"]
    if kind == "percent" and not 0 < value <= HUNDRED:
        raise _invalid("value", _("A percent lies above 0 and is at most 100."))
    if kind in AMOUNTS and value <= 0:
        raise _invalid("value", _("Write the amount that comes off."))
    if kind in FREE_UNITS and value:
        raise _invalid("value", _("Whole units are free: leave the value empty."))
    for name in ("free_quantity", "for_every"):
        if values[name] is not None and kind not in FREE_UNITS:
            raise _invalid(name, _("Only free units are given for every so many."))
        if values[name] is not None and not 0 < values[name] <= MOST:
            raise _invalid(name, _("Write a quantity above 0, at most %(most)s.", most=MOST))
    if kind == "free_goods" and values["reduced_category_id"] is not None:
        raise _invalid("reduced_category", _("Name the article that is given; empty, each comes free with itself."))
    if (kind in AMOUNTS or values["min_value"]) and not values["currency"]:
        raise _invalid("currency", _("An amount needs a currency."))
    if values["with_charges"] and kind not in ("percent", "amount"):
        raise _invalid("with_charges", _("Only a percent or an amount off the whole order takes charges too."))
    if (values["uses"] is not None or values["uses_per_company"] is not None) and not values["voucher"]:
        raise _invalid("uses", _("Only a voucher can be limited in its uses."))
    if values["valid_until"] is not None and values["valid_until"] <= values["valid_from"]:
        raise _invalid("valid_until", _("The last day is before the first."))


def _check_codes(promotion: Promotion | None, values: Mapping[str, Any]) -> None:
    if promotion is None and db.session.scalar(select(Promotion.id).where(Promotion.code == values["code"])):
        raise _invalid("code", _('There is a promotion with the code "%(code)s" already.', code=values["code"]))
    if values["voucher"] and values["status"] != "ended":
        same = select(Promotion.code).where(Promotion.voucher == values["voucher"], Promotion.status != "ended")
        other = db.session.scalar(same.where(Promotion.id != promotion.id) if promotion else same)
        if other:
            raise _invalid("voucher", _("The promotion %(code)s has this voucher already.", code=other))


def _invalid(field: str, message: str) -> Invalid:
    return Invalid("PROMOTION-INVALID", message, details={"field": field})
