"""Why a company pays what it pays, for programs: the same explanation as on the page and the command line."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from marshmallow import fields

from core.api.i18n import translations
from core.api.pricing import explain
from core.api.restapi import DecimalText, Schema, day_field, resource, text
from core.api.ui import requires

from .permissions import EXPLAIN
from .views import asked_instant

_, _l, ngettext, _p = translations(__name__)
bp = resource("pricing_contract_explain_api", __name__, "Why a company pays a price.")


class Asked(Schema):
    """A product at a quantity, for a company (without one: a visitor), on a day, for a wished day of delivery."""

    company, product, unit = text(40), text(80, required=True), text(20)
    quantity = DecimalText(positive=True, load_default=Decimal(1))
    currency = text(3)
    date = day_field(allow_none=True, load_default=None)
    wished = day_field(allow_none=True, load_default=None)


class Rung(Schema):
    """A quantity from which the price is another."""

    quantity, price, per = fields.String(), fields.String(), fields.String()


class Step(Schema):
    """A step to the price: what it was before and after, and why; ``title`` is its name for people."""

    step, title, reason = fields.String(), fields.String(), fields.String()
    before, after, reference = fields.String(allow_none=True), fields.String(allow_none=True), fields.String(allow_none=True)


class Considered(Schema):
    """A price that was considered, and why it ``lost`` (null where it did not)."""

    source, label, unit, rule = fields.String(), fields.String(), fields.String(), fields.String()
    selector, per, quantity = fields.String(), fields.String(), fields.String()
    price, lost = fields.String(allow_none=True), fields.String(allow_none=True)


class Explained(Schema):
    """The price, net for ``per`` units (null: ask for a quote), with everything that was considered and each step."""

    company, source, reference = (
        fields.String(allow_none=True),
        fields.String(allow_none=True),
        fields.String(allow_none=True),
    )
    product, unit, currency, reason = fields.String(), fields.String(), fields.String(), fields.String()
    quantity, per = fields.String(), fields.String()
    price, net, list_price = fields.String(allow_none=True), fields.String(allow_none=True), fields.String(allow_none=True)
    instant, wished = fields.String(), fields.String(allow_none=True)
    derived = fields.Boolean()
    ladder = fields.List(fields.Nested(Rung))
    steps = fields.List(fields.Nested(Step))
    candidates = fields.List(fields.Nested(Considered))


@bp.route("", methods=["GET"])
@requires(EXPLAIN)
@bp.arguments(Asked, location="query")
@bp.response(200, Explained)
def explained(asked: dict[str, Any]) -> Any:
    """Explain a price as the shop makes it, now or on another day."""
    day = asked["date"]
    found = explain(
        asked.get("company", ""),
        asked["product"],
        asked["quantity"],
        unit=asked.get("unit", ""),
        at=asked_instant(day.isoformat() if day else ""),
        currency=asked.get("currency", "").upper() or None,
        wished=asked["wished"],
    ).as_dict()
    rungs, candidates = (map(_named, found[name]) for name in ("ladder", "candidates"))
    return {**found, "ladder": list(rungs), "candidates": list(candidates)}


def _named(part: Mapping[str, Any]) -> dict[str, Any]:
    """Return a part with names that a schema may have: ``from`` and ``for`` are words of the language."""
    return {{"from": "quantity", "for": "selector"}.get(name, name): value for name, value in part.items()}
