"""Translate a neutral price case into Tukku's own objects. Prices come from the product alone; nothing is computed here.

A rule is a row of a contract. Rules of one list stand in one contract, where the most specific selector wins, unless the
case says otherwise: rules with priorities, or peers that take the best of several, get a contract each.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from babel.numbers import list_currencies

from addons.pricing_contract.models import Contract, ContractPrice, ProductValue, target_of
from core.catalog.models import Category, Product
from core.companies.models import Company
from core.data import clock
from core.data.write import write
from core.pricing import services
from core.pricing.models import CurrencyRate
from core.spec.pricing import BEGINNING, PriceLine, PriceRequest
from core.testing import factories

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
BEST_OF = ("Shuup", "Saleor")
HUNDRED = Decimal(100)
ROW_KEYS = {
    "id", "kind", "scope", "target", "value", "min_qty", "max_qty", "currency", "region", "company", "segment", "customer",
    "priority", "valid_from", "valid_to", "base", "discount_percent", "surcharge", "price_list", "rounding", "round_to",
    "min_margin", "max_margin", "round", "uom",
}  # fmt: skip
KINDS = ("fixed", "percent", "amount_off", "factor", "formula", "cost_plus")
_numbers = count(1)
_CURRENCIES = list_currencies()


class Unsupported(Exception):
    """The product lacks what the case is about; the message names the feature."""


class World:
    """The objects of one case, under codes of their own."""

    def __init__(self, case: Mapping[str, Any]) -> None:
        self.case, self.query = case, case.get("query", {})
        self.tag = f"X{next(_numbers)}"
        self.currency = self.query.get("currency") or self._currency()
        self.categories: dict[str, Category] = {}
        self.products: dict[str, Product] = {}
        self.companies: dict[str, Company] = {}
        self.contracts: dict[Any, Contract] = {}

    def _currency(self) -> str:
        """Return the one currency that the case speaks of, euros where it names none."""
        found = {r["currency"] for r in self.case["rules"] if r.get("currency")} | {
            p["currency"] for p in self.case["products"] if p.get("currency")
        }
        if len(found) > 1:
            return ""  # the question leaves open in which
        return str(found.pop()) if found else "EUR"

    def build(self) -> None:
        """Make everything that the case names."""
        self._rates()
        for product in self.case["products"]:
            self._product(product)
        for number, rule in enumerate(self.case["rules"]):
            self._rule(number, rule)

    def _rates(self) -> None:
        for source, targets in self.case.get("currency_rates", {}).items():
            amount, code = source.split()
            for target, value in targets.items():
                with write() as session:
                    day = date(2000, 1, next(_numbers) % 28 + 1)
                    rate = Decimal(str(value)) / Decimal(amount)
                    session.add(CurrencyRate(source=code, target=target, day=day, rate=rate))

    def category(self, code: str) -> Category:
        """Return a category, with its parents."""
        if code not in self.categories:
            known = {c["id"]: c for c in self.case.get("categories", ())}
            parent = known.get(code, {}).get("parent")
            self.categories[code] = factories.make_category(
                f"{self.tag}-{code}", parent=self.category(parent) if parent else None
            )
        return self.categories[code]

    def _product(self, given: Mapping[str, Any]) -> None:
        unsupported = {"tax": "list prices that include tax", "pack_size": "packages that cannot be opened"}
        for key, feature in unsupported.items():
            if key in given and "included" in str(given[key]) + str(key == "pack_size" and "included"):
                raise Unsupported(feature)
        base = given.get("uom", "pcs")
        units = [factories.Unit(base, precision=int(given.get("qty_decimals", 3)))]
        for unit, factors in self.case.get("units", {}).items():
            units += _unit(base, unit, factors)
        category = given.get("template") or given.get("category") or "none"
        if isinstance(category, list):
            category = category[0] if category else "none"
        price, currency = given.get("base_price"), given.get("currency", self.currency)
        if price is not None and currency != self.currency and self.currency:
            raise Unsupported("list prices converted into another currency")
        if price is not None and currency not in _CURRENCIES:
            raise Unsupported("currencies outside ISO 4217")
        product = factories.make_product(
            f"{self.tag}-{given['id']}", price=None, units=units, category=self.category(str(category)).code
        )
        self.products[given["id"]] = product
        if price is not None:
            factories.make_list_price(product, number(price), currency=currency)
        if given.get("cost") is not None:
            with write() as session:
                cost = ProductValue(
                    product_id=product.id,
                    kind="cost",
                    currency=given.get("cost_currency", self.currency),
                    amount=number(given["cost"]),
                )
                session.add(cost)

    def _rule(self, place: int, rule: Mapping[str, Any]) -> None:
        rule = _conditions(rule)
        strange = set(rule) - ROW_KEYS
        if strange:
            raise Unsupported(f"rules with {', '.join(sorted(strange))}")
        if rule["kind"] not in KINDS:
            raise Unsupported(f"rules of the kind {rule['kind']}")
        if rule["scope"] not in ("product", "category", "all", "product template"):
            raise Unsupported(f"rules for the scope {rule['scope']}")
        if rule.get("max_qty") is not None and not self._bounded(rule):
            raise Unsupported("an upper bound of a quantity without a next break")
        contract = self._contract(place, rule)
        product, category = self._target(rule)
        kind, value, terms = self._deed(rule, kind_of=rule["kind"])
        if value != round(value, 6) or abs(value) >= 10**9:
            raise Unsupported("amounts beyond nine digits and six decimals")
        unit = ""
        if kind in ("fixed", "amount_off"):
            unit = self._unit_of(rule, product)
        with write() as session:
            session.add(
                ContractPrice(
                    contract_id=contract.id, target=target_of(product and product.id, category and category.id),
                    product_id=product and product.id, category_id=category and category.id, unit=unit, kind=kind,
                    value=value, terms=terms, min_quantity=number(rule.get("min_qty") or 0),
                    valid_from=moment(rule.get("valid_from")) or BEGINNING,
                    valid_until=moment(rule.get("valid_to"), end=True),
                )
            )  # fmt: skip

    def _bounded(self, rule: Mapping[str, Any]) -> bool:
        """Tell whether the question stays below the rule's upper bound, or another rule begins there."""
        return number(self.query.get("qty", 1)) <= number(rule["max_qty"])

    def _unit_of(self, rule: Mapping[str, Any], product: Product | None) -> str:
        known = self.products.values() if product is None else [product]
        bases = {p.base_unit for p in known}
        if len(bases) > 1:
            raise Unsupported("a fixed price for products of several units")
        return str(rule.get("uom") or (bases.pop() if bases else "pcs"))

    def _target(self, rule: Mapping[str, Any]) -> tuple[Product | None, Category | None]:
        if rule["scope"] == "product":
            target = str(rule["target"])
            if target not in self.products:
                self._product({"id": target, "base_price": None})
            return self.products[target], None
        if rule["scope"] in ("category", "product template"):
            return None, self.category(str(rule["target"]))
        return None, None

    def _deed(self, rule: Mapping[str, Any], kind_of: str) -> tuple[str, Decimal, dict[str, Any] | None]:
        """Return kind, value and terms of the row."""
        base = str(rule.get("base", "list"))
        if base.startswith("price list "):
            name = base.removeprefix("price list ")
            held = any(other.get("price_list") == name for other in self.case["rules"])
            base = f"contract:{self._list_code(name)}" if held else "list"
        value = number(rule.get("value") or 0)
        if kind_of in ("fixed", "amount_off"):
            return kind_of, value, None
        percent = (
            value
            if kind_of == "percent"
            else (1 - value) * HUNDRED
            if kind_of == "factor"
            else number(rule.get("discount_percent") or 0)
        )
        if kind_of in ("percent", "factor") and base == "list":
            return "percent", percent, None
        terms: dict[str, Any] = {"base": base, "percent": [str(percent)]}
        for name, own in (
            ("surcharge", "surcharge"),
            ("rounding", "round_to"),
            ("round_to", "round_to"),
            ("round", "round_to"),
            ("min_margin", "min_margin"),
            ("max_margin", "max_margin"),
        ):
            if rule.get(name) is not None:
                terms[own] = str(number(rule[name]))
        return "formula", Decimal(0), terms

    def _list_code(self, name: str) -> str:
        return f"{self.tag}-{name}"[:40]

    def _contract(self, place: int, rule: Mapping[str, Any]) -> Contract:
        """Return the contract in which the rule stands."""
        company, segment, region = (_one(rule.get(name)) for name in ("company", "segment", "region"))
        company = company or _one(rule.get("customer"))
        if company and segment and (rule.get("currency") or self.currency) == self.currency:
            raise Unsupported("a price for a company only while it is in a segment")
        best = self.case["source"]["system"] in BEST_OF
        ordered = rule.get("priority") is not None or any(r.get("priority") is not None for r in self.case["rules"])
        name = rule.get("price_list")
        own_list = bool(name) and name == self._asked_list()
        alone = place if best or ordered else None
        currency = rule.get("currency") or (
            self.currency if rule["kind"] in ("fixed", "amount_off", "formula", "factor") else ""
        )
        key = (company, segment, region, name, currency, alone)
        if key not in self.contracts:
            code = self._list_code(name) if name else f"{self.tag}-{len(self.contracts)}"
            values = self._audience(company, segment, region, hidden=bool(name) and not own_list)
            self.contracts[key] = _contract(
                code, currency, self._priority(rule, bool(region)), "best_of" if best else "override", values
            )
        return self.contracts[key]

    def _asked_list(self) -> str | None:
        return self.query.get("price_list") or self.case.get("price_list")

    def _priority(self, rule: Mapping[str, Any], limited: bool) -> int:
        """Return Tukku's priority, of which the larger comes first."""
        stated = rule.get("priority")
        if stated is None:
            return 1 if limited else 0
        first = "1 is looked at first" in str(self.case.get("priority_order", ""))
        return -int(stated) if first else int(stated)

    def _audience(self, company: Any, segment: Any, region: Any, *, hidden: bool) -> dict[str, Any]:
        values: dict[str, Any] = {"country": str(region).upper()[:2] if region else ""}
        if hidden:
            found = factories.make_segment("nobody")
            return {**values, "audience": "segment", "segment_id": found.id}
        if company:
            return {**values, "audience": "company", "company_id": self.company(str(company)).id}
        if segment:
            code = services.GUESTS if segment == "anonymous" else f"{self.tag}-{segment}"
            return {**values, "audience": "segment", "segment_id": factories.make_segment(code).id}
        return {**values, "audience": "location" if region else "public"}

    def company(self, name: str) -> Company:
        """Return a buyer; the one that asks lives in the region and belongs to the segments of the question."""
        if name not in self.companies:
            asking = name in (self.query.get("company"), self.query.get("customer"), "the buyer")
            region = self.query.get("region") if asking else None
            segments = [f"{self.tag}-{s}" for s in self.query.get("segments", ())] if asking else []
            self.companies[name] = factories.make_company(
                f"{self.tag}-{name}"[:40], country=str(region or "ZZ").upper()[:2], segments=segments, address=False
            )
        return self.companies[name]

    def price(self, quantity: Decimal | None = None, product: str | None = None) -> PriceLine:
        """Ask the product for the price of the question."""
        asked = self.products[product or self.query.get("product") or next(iter(self.products))]
        at = moment(self.query.get("order_date") or self.query.get("date") or self.query.get("now"), noon=True) or NOW
        where = services.context(self.currency, at, self._buyer())
        unit = self.query.get("uom", asked.base_unit)
        request = PriceRequest("1", asked.id, unit, number(self.query.get("qty", 1)) if quantity is None else quantity)
        return services.price(where, [request], explain=True).lines[0]

    def _buyer(self) -> int | None:
        if "customer" in self.query and self.query["customer"] is None:
            return None
        return self.company(str(self.query.get("company") or self.query.get("customer") or "the buyer")).id


def _conditions(rule: Mapping[str, Any]) -> Mapping[str, Any]:
    """Read a condition in words: one on the customer is whom the contract is for; returns never ask for a price."""
    words = re.fullmatch(r"customer is (\S+)( and not a return)?", str(rule.get("condition", "")))
    if not words:
        return rule
    return {**{name: value for name, value in rule.items() if name != "condition"}, "customer": words[1]}


def _one(value: Any) -> Any:
    """Return the only value of a list; a rule for several of them is not one of ours."""
    if isinstance(value, list):
        if len(value) > 1:
            raise Unsupported("one rule for several companies, segments or regions")
        return value[0] if value else None
    return value


def _contract(code: str, currency: str, priority: int, policy: str, values: Mapping[str, Any]) -> Contract:
    now = clock.now()
    with write() as session:
        made = Contract(
            code=code, name=code, currency=currency, priority=priority, merge_policy=policy, status="active",
            created_at=now, updated_at=now, **values,
        )  # fmt: skip
        session.add(made)
    return made


def _unit(base: str, unit: str, factors: Mapping[str, Any]) -> list[factories.Unit]:
    """Return the unit that is not the product's own, with its factor: {"dozen": {"unit": 12}} is 12 units in a dozen."""
    for other, factor in factors.items():
        if other == base and unit != base:
            return [factories.Unit(unit, int(factor), precision=3)]
        if unit == base:
            return [factories.Unit(other, 1, int(factor), precision=3)]
    return []


def number(value: Any) -> Decimal:
    """Return a figure of the file exactly as it is written."""
    return Decimal(str(value))


def moment(text: Any, *, end: bool = False, noon: bool = False) -> datetime | None:
    """Return an instant: "T", "T+1d", "T-1h", a day or a time; whole days end when they are over."""
    if not text:
        return None
    text = str(text)
    if text.startswith("T"):
        shift = text[1:]
        if not shift:
            return NOW
        amount = int(shift[:-1])
        if shift.endswith("h"):
            return NOW + timedelta(hours=amount)
        day = (NOW + timedelta(days=amount)).date()
    elif "T" in text:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    else:
        day = date.fromisoformat(text)
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return start + (timedelta(days=1) if end else timedelta(hours=12) if noon else timedelta(0))
