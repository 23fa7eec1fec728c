"""Translate a neutral price case into Tukku's own objects. Prices come from the product alone; nothing is computed here.

A rule is a row of a contract. Rules of one list stand in one contract, where the most specific selector wins, unless the
case says otherwise: rules with priorities, or peers that take the best of several, get a contract each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any

from babel.numbers import list_currencies
from sqlalchemy import delete, update

from addons.pricing_contract.models import Contract, ContractPrice, ProductValue, target_of
from core.catalog.models import Category, Product
from core.companies.models import Company, Seller
from core.companies.services import GUESTS
from core.data import clock
from core.data.write import write
from core.pricing import services
from core.pricing.gross import domestic_rates, without_tax
from core.pricing.manual import checked
from core.pricing.models import CurrencyRate, TaxRate
from core.spec.pricing import BEGINNING, ManualTerms, PriceLine, PriceRequest
from core.testing import factories

from .neutral import NOW, Unsupported, below_first, conditions, moment, number, only

BEST_OF = ("Shuup", "Saleor")
HUNDRED = Decimal(100)
VOUCHER = "order voucher on the line"
ROW_KEYS = {
    "id", "kind", "scope", "target", "value", "min_qty", "max_qty", "currency", "region", "company", "segment", "customer",
    "priority", "valid_from", "valid_to", "base", "discount_percent", "surcharge", "price_list", "rounding", "round_to",
    "min_margin", "max_margin", "round", "uom", "percents",
}  # fmt: skip
KINDS = ("fixed", "percent", "amount_off", "factor", "formula", "cost_plus")
_numbers = count(1)
_CURRENCIES = list_currencies()


class World:
    """The objects of one case, under codes of their own."""

    def __init__(self, case: Mapping[str, Any]) -> None:
        self.case, self.query = case, case.get("query", {})
        self.tag = f"X{next(_numbers)}"
        self.currency = self.query.get("currency") or ("USD" if "price_lists" in case else self._currency())
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
        self._sell_in("EUR")
        self._rates()
        for product in self.case["products"]:
            self._product(product)
        for place, rule in enumerate(self.case["rules"]):
            self._rule(place, rule)
        for name, price in self.case.get("price_lists", {}).items():
            self._level(name, price)
        if self.query.get("fallback") == "customer only" and not self.query.get("own_list"):
            self._close(f"{self.tag}-own", {"audience": "company", "company_id": self.company("the buyer").id})

    def _level(self, name: str, price: Any) -> None:
        """Make the list of one level (configuration, website, a group, a customer) with its one price."""
        if not isinstance(price, int | float | str):
            raise Unsupported("lists of a level with several prices")
        place, own = name.split(" (")[0], self.query.get("own_list")
        group = place.startswith("group")
        closes = "only)" in name or (place == own and self.query.get("fallback") == "customer only")
        if place in ("config", "website"):
            values: dict[str, Any] = {"audience": "public", "priority": int(place == "website")}
        elif group:
            values = {"audience": "segment", "segment_id": factories.make_segment(f"{self.tag}-{place}").id}
        elif place == own:
            values = {"audience": "company", "company_id": self.company("the buyer").id}
        else:
            return  # the list of another customer
        contract = self._close(f"{self.tag}-{place}", values, closes=closes)
        product = next(iter(self.products.values()))
        with write() as session:
            row = {"target": product.id, "product_id": product.id, "unit": product.base_unit, "value": number(price)}
            session.add(ContractPrice(contract_id=contract.id, **row))

    def _close(self, code: str, values: dict[str, Any], *, closes: bool = True) -> Contract:
        """Make a contract after which nothing follows, unless something does."""
        priority = values.pop("priority", 0)
        return _contract(code[:40], "USD", priority, "override", {**values, "country": "", "closes": closes})

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
        if "pack_size" in given:
            raise Unsupported("packages that cannot be opened")
        included = self._included(str(given.get("tax", "")))
        named = [inner for factors in self.case.get("units", {}).values() for inner in factors]
        base = given.get("uom") or next(iter(named), "pcs")
        units = [factories.Unit(base, precision=int(given.get("qty_decimals", 3)))]
        for unit, factors in self.case.get("units", {}).items():
            units += _unit(base, unit, factors)
        category = given.get("template") or given.get("category") or "none"
        if isinstance(category, list):
            category = category[0] if category else "none"
        price, currency = given.get("base_price"), given.get("currency", self.currency)
        if price is not None and self.currency and currency != self.currency:
            self._sell_in(currency)
        if price is not None and currency not in _CURRENCIES:
            raise Unsupported("currencies outside ISO 4217")
        product = factories.make_product(
            f"{self.tag}-{given['id']}", price=None, units=units, category=self.category(str(category)).code
        )
        self.products[given["id"]] = product
        if price is not None:
            self._list_price(product, number(price), currency, included)
        if given.get("cost") is not None:
            with write() as session:
                cost = ProductValue(
                    product_id=product.id,
                    kind="cost",
                    currency=given.get("cost_currency", self.currency),
                    amount=number(given["cost"]),
                )
                session.add(cost)

    def _included(self, stated: str) -> Decimal | None:
        """Return the percent of tax that list prices include, None where they are without."""
        target = str(self.query.get("tax_mapping", "")).rpartition("->")[2]
        if "fixed" in stated:
            raise Unsupported("taxes of a fixed amount")
        if "incl" in target or ("included" in stated and not target):
            raise Unsupported("prices that are shown with tax")
        return number(stated.split("%")[0]) if "included" in stated else None

    def _list_price(self, product: Product, price: Decimal, currency: str, included: Decimal | None) -> None:
        """Give the product its list price; one that includes tax is kept without, at the seller's own rate."""
        if included is None:
            factories.make_list_price(product, price, currency=currency)
            return
        with write() as session:
            session.execute(delete(TaxRate), execution_options={"synchronize_session": False})
        factories.make_tax_rate(rate=str(included))
        rates = domestic_rates({product.tax_class}, NOW.date())
        factories.make_list_price(product, without_tax(price, rates[product.tax_class]), currency=currency)

    def _sell_in(self, currency: str) -> None:
        """Let the shop's own currency be the one of the list, from which prices are converted."""
        with write() as session:
            session.execute(update(Seller).values(currency=currency), execution_options={"synchronize_session": False})
            session.expire_all()

    def _rule(self, place: int, rule: Mapping[str, Any]) -> None:
        rule = conditions(rule)
        if rule["scope"] == VOUCHER and rule["kind"] == "percent":
            return  # a promotion
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
        if rule.get("percents"):
            return "formula", Decimal(0), {"base": base, "percent": [str(p) for p in rule["percents"]], "additive": True}
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
        company, segment, region = (only(rule.get(name)) for name in ("company", "segment", "region"))
        company = company or only(rule.get("customer"))
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
            values["date_basis"] = "wished" if "requested_delivery_date" in self.query else "order"
            values["below_first"] = below_first(self.case.get("settings"))
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
            code = GUESTS if segment == "anonymous" else f"{self.tag}-{segment}"
            return {**values, "audience": "segment", "segment_id": factories.make_segment(code).id}
        return {**values, "audience": "location" if region else "public"}

    def company(self, name: str) -> Company:
        """Return a buyer; the one that asks lives in the region and belongs to the segments of the question."""
        if name not in self.companies:
            asking = name in (self.query.get("company"), self.query.get("customer"), "the buyer")
            region = self.query.get("region") if asking else None
            groups = self.query.get("segments") or [self.query[name] for name in ("group",) if self.query.get(name)]
            segments = [f"{self.tag}-{s}" for s in groups] if asking else []
            self.companies[name] = factories.make_company(
                f"{self.tag}-{name}"[:40], country=str(region or "ZZ").upper()[:2], segments=segments, address=False
            )
        return self.companies[name]

    def price(self, quantity: Decimal | None = None, product: str | None = None) -> PriceLine:
        """Ask the product for the price of the question."""
        asked = self.products[product or self.query.get("product") or next(iter(self.products))]
        at = moment(self.query.get("order_date") or self.query.get("date") or self.query.get("now"), noon=True) or NOW
        wished = self.query.get("requested_delivery_date")
        where = services.context(self.currency, at, self._buyer(), date.fromisoformat(wished) if wished else None)
        unit = self.query.get("uom", asked.base_unit)
        request = PriceRequest("1", asked.id, unit, number(self.query.get("qty", 1)) if quantity is None else quantity)
        found = services.price(where, [request], explain=True).lines[0]
        terms = self._terms()
        if terms is None:
            return found
        by_key = {"1": checked(replace(terms, per=found.per), found)}
        return services.price(where, [request], explain=True, manual=by_key).lines[0]

    def _terms(self) -> ManualTerms | None:
        """Return what the question says was agreed for the line by hand."""
        asked, given = self.query, {}
        price = asked.get("manual_price", asked.get("unit_price_set"))
        amount = asked.get("discount_amount_per_unit", asked.get("discount_amount"))
        percents = asked.get("discounts_percent") or [
            asked[name] for name in ("line_discount_percent", "discount_percent") if name in asked
        ]
        if price is not None:
            given["price"] = number(price)
        if amount is not None:
            given["amount"] = number(amount)
        if percents:
            given["percents"] = tuple(number(percent) for percent in percents)
        return ManualTerms(**given, added=asked.get("combine") == "add") if given else None

    def _buyer(self) -> int | None:
        if "customer" in self.query and self.query["customer"] is None:
            return None
        return self.company(str(self.query.get("company") or self.query.get("customer") or "the buyer")).id


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
