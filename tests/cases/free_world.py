"""Translate cases of goods that come free of charge into promotions, and ask what comes with a cart of their buyer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import inspect, select

from addons.promotions import editing
from core.catalog.models import Product
from core.companies.models import Company
from core.data import clock
from core.data.db import db
from core.data.scope import Actor, Scope, acting
from core.orders.draft import Priced, Wanted, price_lines
from core.spec.pricing import BEGINNING
from core.testing import factories

from .neutral import NOW, Unsupported, exact, moment, number, only_of, several
from .pricing_world import World

KIND = "free_goods"
KEYS = {
    "id", "kind", "scope", "target", "min_qty", "max_qty", "min_items", "min_value", "free_qty", "free_item", "same_item",
    "for_every", "max_free_qty", "round_down", "valid_from", "valid_to", "company", "customer", "segment", "currency",
    "value",
}  # fmt: skip
EVERYTHING = ("all", "order")
RIGHTS = frozenset({"catalog.product.view", "pricing.price.view", "orders.cart.use"})
ONE = Decimal(1)


#: Words of a question that say what is in the cart, whose it is, and when.
ASKED = {
    "product", "qty", "uom", "lines", "basket", "currency", "company", "customer", "segments", "group", "region", "date",
    "order_date", "now", "note", "notes", "price_list",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the question: a product (its name in the case), a unit ('' for its own) and a quantity."""

    product: str
    unit: str
    quantity: Decimal


def is_of_free_goods(case: Mapping[str, Any]) -> bool:
    """Tell whether a rule of the case gives something, or the question is what comes free of charge."""
    return bool({"free_qty", "free_item"} & set(case["expected"])) or any(rule["kind"] == KIND for rule in case["rules"])


def compare(case: Mapping[str, Any]) -> str:
    """Return what is wrong, '' if the product agrees."""
    expected = case["expected"]
    only_of(expected, "free_qty", "free_item", "line_net", "order_untaxed", "order_net", "unit_price")
    if strange := {word for word, value in case["query"].items() if value not in (None, "", [])} - ASKED:
        raise Unsupported(f"carts with free goods and {', '.join(sorted(strange))}")
    gifts = [rule for rule in case["rules"] if rule["kind"] == KIND]
    lines, products = _lines(case)
    world = World({**case, "products": products, "rules": [rule for rule in case["rules"] if rule["kind"] != KIND]})
    world.build()
    known = _known(world)
    for place, rule in enumerate(gifts):
        _give(world, rule, place, lines, known)
    priced = _priced(world, lines, known)
    names = {product_id: name for name, (product_id, _unit) in known.items()}
    free = {names[one.article.id]: one.quantity for one in priced.free}
    figures = {
        "free_qty": sum(free.values(), Decimal(0)),
        "free_item": next(iter(free), None) if len(free) < 2 else sorted(free),  # one, or all of them
        "unit_price": priced.lines[0].unit_price,
        **dict.fromkeys(("line_net", "order_untaxed", "order_net"), priced.totals.net),
    }
    for name, wanted in expected.items():
        if name in figures and figures[name] != (wanted or 0 if name == "free_qty" else exact(wanted)):
            if name == "free_qty" and not any(rule.get("round_down") for rule in gifts) and exact(wanted) % 1:
                raise Unsupported("free goods in parts of one")
            return f"{name} is {figures[name]}, {wanted} is expected"
    return ""


def _lines(case: Mapping[str, Any]) -> tuple[list[Line], list[dict[str, Any]]]:
    """Return the lines of the question, and the products, those that only a line names included."""
    query, products = case["query"], {str(p["id"]): dict(p) for p in case["products"]}
    rows = query.get("basket") or query.get("lines")
    if rows is None:
        name = str(query.get("product") or next(iter(products), ""))
        if name not in products:
            raise Unsupported("questions about a product of which the case says nothing")
        rows = [{"product": name, "qty": query.get("qty", 1), "uom": query.get("uom")}]
    found = []
    for place, row in enumerate(rows, start=1):
        one = row if isinstance(row, dict) else dict(zip(("product", "qty"), row, strict=True))
        if strange := set(one) - {"product", "qty", "uom", "price"}:
            raise Unsupported(f"lines of a basket with {', '.join(sorted(strange))}")
        name = str(one.get("product") or f"line {place}")
        made = products.setdefault(name, {"id": name, "base_price": one.get("price")})
        if one.get("price") is not None and number(one["price"]) != number(made.get("base_price") or 0):
            raise Unsupported("lines of one article at several prices")
        found.append(Line(name, str(one.get("uom") or ""), number(one.get("qty", 1))))
    for rule in case["rules"]:
        if rule["kind"] == KIND and rule.get("free_item"):
            products.setdefault(str(rule["free_item"]), {"id": str(rule["free_item"]), "base_price": None})
    return found, list(products.values())


def _known(world: World) -> dict[str, tuple[int, str]]:
    """Return the number and the unit of each product by its name in the case; unknown to its session they are no more."""
    ids = {name: inspect(product).identity[0] for name, product in world.products.items()}
    rows = db.session.execute(select(Product.id, Product.base_unit).where(Product.id.in_(ids.values())))
    units = {row.id: row.base_unit for row in rows}
    return {name: (product_id, units[product_id]) for name, product_id in ids.items()}


def _give(
    world: World, rule: Mapping[str, Any], place: int, lines: Sequence[Line], known: Mapping[str, tuple[int, str]]
) -> None:
    """Save the promotion; Unsupported names what it cannot say."""
    if strange := set(rule) - KEYS:
        raise Unsupported(f"free goods with {', '.join(sorted(strange))}")
    if rule.get("value") not in (None, 0):
        raise Unsupported("free goods with a value")
    counting = [line for line in lines if rule["scope"] != "product" or line.product == str(rule["target"])]
    if rule.get("max_qty") and sum(line.quantity for line in counting) > number(rule["max_qty"]):
        raise Unsupported("free goods up to a quantity")
    given = rule.get("free_item")
    if not given and rule["scope"] == "order":
        raise Unsupported("free goods of which nobody says what")
    counted = _counted(world, rule, known)
    for company, segment in _audiences(world, rule):
        values = {
            **dict.fromkeys(("counted_product_id", "counted_category_id", "reduced_category_id")),
            "uses": None, "uses_per_company": None,
            **counted, "code": f"{world.tag}-{place}-{company and company.id}-{segment}"[:40], "name": "Free goods",
            "kind": KIND, "value": Decimal(0),
            "currency": rule.get("currency") or (world.currency if rule.get("min_value") else ""),
            "min_value": _figure(rule, "min_value"),
            "min_quantity": _figure(rule, "min_qty") or _figure(rule, "min_items"),
            "max_units": _figure(rule, "max_free_qty"),
            "free_quantity": _figure(rule, "free_qty"), "for_every": _figure(rule, "for_every"),
            "reduced_product_id": known[str(given)][0] if given else None,
            "company_id": company and company.id, "segment_id": segment, "with_charges": False, "on_agreed": True,
            "voucher": "", "status": "active", "valid_from": moment(rule.get("valid_from")) or BEGINNING,
            "valid_until": moment(rule.get("valid_to"), end=True),
        }  # fmt: skip
        editing.save(None, values)


def _figure(rule: Mapping[str, Any], name: str) -> Decimal | None:
    return number(rule[name]) if rule.get(name) not in (None, 0, "") else None


def _counted(world: World, rule: Mapping[str, Any], known: Mapping[str, tuple[int, str]]) -> dict[str, int]:
    if rule["scope"] in EVERYTHING:
        return {}
    if rule["scope"] == "product":
        target = str(rule["target"])
        if target not in known:
            return {"counted_product_id": factories.make_product(f"{world.tag}-{target}", price=None).id}
        return {"counted_product_id": known[target][0]}
    if rule["scope"] in ("category", "product template"):
        return {"counted_category_id": world.category(str(rule["target"])).id}
    raise Unsupported(f"free goods for the scope {rule['scope']}")


def _audiences(world: World, rule: Mapping[str, Any]) -> Iterator[tuple[Company | None, int | None]]:
    """Yield company and segment of each promotion: it is for one of them, or for everybody."""
    companies, segments = several(rule.get("company") or rule.get("customer")), several(rule.get("segment"))
    if any(companies) and any(segments):
        raise Unsupported("free goods for a company only while it is in a segment")
    for company in companies:
        for segment in segments:
            yield (
                world.company(str(company)) if company else None,
                factories.make_segment(f"{world.tag}-{segment}").id if segment else None,
            )


def _priced(world: World, lines: Sequence[Line], known: Mapping[str, tuple[int, str]]) -> Priced:
    """Price the lines as the buyer's cart is priced on the day of the question."""
    stated = (moment(world.query.get(name), noon=True) for name in ("order_date", "date", "now"))
    buyer = world.buyer_company()
    scope = (buyer.id,) if buyer else ()
    actor = Actor(None, "buyer", Scope("companies", scope, scope, scope), buyer.id if buyer else None, permissions=RIGHTS)
    wanted = [
        Wanted(str(n), known[line.product][0], line.unit or known[line.product][1], line.quantity)
        for n, line in enumerate(lines, start=1)
    ]
    with clock.frozen(next(filter(None, stated), NOW)), acting(actor):
        return price_lines(wanted)
