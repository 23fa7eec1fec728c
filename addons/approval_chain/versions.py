"""What an order said when people decided on it: kept by digest, compared when it is another now."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from core.api.data import clock, db
from core.api.i18n import translations
from core.api.orders import Order, OrderLine, canonical, content_of
from core.api.ui import money_text, price_text, quantity_text

from . import amounts
from .engine import Plan
from .flow import key_of
from .models import Approval, Version

_, _l, ngettext, _p = translations(__name__)
#: Any change of these is another order: nobody's decision holds for it.
REFERENCES = ("po_number", "note")
BINDING = ("company_id", "currency", "ship_to", "bill_to", "wished_date", "po_number", "note", "parts")


def keep(approval: Approval, order: Order, lines: Sequence[OrderLine], plan: Plan) -> None:
    """Keep what the order says now, once for each digest; call inside ``write()``."""
    known = select(Version.id).where(Version.approval_id == approval.id, Version.digest == order.digest)
    if db.session.scalar(known) is None:
        db.session.add(
            Version(
                approval_id=approval.id,
                company_id=approval.company_id,
                digest=order.digest,
                content=json.loads(canonical(content_of(order, lines))),
                asked=[key_of(r) for r in plan.requirements],
                at=clock.now(),
            )
        )
        db.session.flush()


def of(approval_ids: Iterable[int]) -> dict[tuple[int, str], Version]:
    """Return the versions of approvals by approval and digest."""
    rows = db.session.scalars(select(Version).where(Version.approval_id.in_(list(approval_ids))))
    return {(row.approval_id, row.digest): row for row in rows}


def still_holds(
    old: Mapping[str, Any], new: Mapping[str, Any], tolerance: Decimal, *, references_free: bool = False
) -> bool:
    """Tell whether a decision on ``old`` holds for ``new``: as much or less, at prices within ``tolerance`` percent.

    Other references make another order, unless the company's policy leaves them free.
    """
    binding = (name for name in BINDING if not (references_free and name in REFERENCES))
    if any(old.get(name) != new.get(name) for name in binding):
        return False
    before = {line["position"]: line for line in old["lines"]}
    if not all(_within(before.get(line["position"]), line, tolerance) for line in new["lines"]):
        return False
    return Decimal(new["gross"]) <= _raised(old["gross"], tolerance)


def _within(old: Mapping[str, Any] | None, new: Mapping[str, Any], tolerance: Decimal) -> bool:
    if old is None or any(old[name] != new[name] for name in ("sku", "unit", "configuration", "split_key", "per")):
        return False
    if Decimal(new["quantity"]) > Decimal(old["quantity"]):
        return False
    if old["unit_price"] is None or new["unit_price"] is None:
        return bool(old["unit_price"] == new["unit_price"])
    return Decimal(new["unit_price"]) <= _raised(old["unit_price"], tolerance)


def _raised(value: str, percent: Decimal) -> Decimal:
    return Decimal(value) * (100 + percent) / 100


def without_tax(content: Mapping[str, Any]) -> Decimal:
    """Return what a version costs without tax: its lines and charges."""
    return Decimal(content["net"]) + Decimal(content.get("charges_net", 0))


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return a sentence for everything that is another in ``new``, with amounts for who may read them."""
    currency = str(new["currency"])
    before = {line["position"]: line for line in old["lines"]}
    after = {line["position"]: line for line in new["lines"]}
    found = []
    for position in sorted({*before, *after}):
        found += _of_line(before.get(position), after.get(position), currency)
    total_before, total_after = without_tax(old), without_tax(new)
    if not amounts.shown():
        if total_before != total_after:
            found.append(_("The total is another."))
    elif total_before != total_after:
        values = {"before": money_text(total_before, currency), "after": money_text(total_after, currency)}
        found.append(_("Total without tax: %(before)s became %(after)s.", **values))
    if old.get("charges_net") != new.get("charges_net") and amounts.shown():
        values = {w: money_text(Decimal(x.get("charges_net", 0)), currency) for w, x in (("before", old), ("after", new))}
        found.append(_("Freight and other charges: %(before)s became %(after)s.", **values))
    titles = {
        "ship_to": _("The delivery address is another."),
        "bill_to": _("The billing address is another."),
        "wished_date": _("The wished delivery is another."),
        "po_number": _("The purchase order number is another."),
        "note": _("The note is another."),
        "parts": _("Terms of the order are others."),
    }
    return found + [text for name, text in titles.items() if old.get(name) != new.get(name)]


def _of_line(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None, currency: str) -> list[str]:
    if old is None or new is None:
        line = old or new or {}
        text = _("%(name)s was added.") if old is None else _("%(name)s was dropped.")
        return [text % {"name": line.get("name", "")}]
    found = []
    if old["quantity"] != new["quantity"]:
        sizes = [quantity_text(Decimal(line["quantity"]), line["unit"]) for line in (old, new)]
        found.append(_("%(name)s: %(before)s became %(after)s.", name=new["name"], before=sizes[0], after=sizes[1]))
    if old["unit_price"] != new["unit_price"] and not amounts.shown():
        found.append(_("%(name)s: the price is another.", name=new["name"]))
    elif old["unit_price"] != new["unit_price"]:
        prices = ["–" if x["unit_price"] is None else price_text(Decimal(x["unit_price"]), currency) for x in (old, new)]
        found.append(
            _("%(name)s: the price %(before)s became %(after)s.", name=new["name"], before=prices[0], after=prices[1])
        )
    return found
