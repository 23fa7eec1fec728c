"""Translate a neutral price case into Tukku's own objects. Prices come from the product alone; nothing is computed here.

A rule is a row of a contract. Rules of one list stand in one contract, where the most specific selector wins, unless the
case says otherwise: rules with priorities, or peers that take the best of several, get a contract each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from itertools import product as product_of
from typing import Any

from babel.numbers import list_currencies
from sqlalchemy import delete, update

from addons.pricing_contract.models import Contract, ContractPrice, ProductValue
from addons.pricing_contract.saving import Header, Saver, Staged
from core.catalog.models import Category, Product
from core.catalog.units import UnitInfo, check_quantity
from core.companies.models import Company, Seller
from core.companies.services import GUESTS
from core.data import clock
from core.data.write import write
from core.pricing import services
from core.pricing.gross import domestic_rates, without_tax
from core.pricing.manual import checked
from core.pricing.models import CurrencyRate, TaxRate
from core.spec.errors import Invalid
from core.spec.pricing import BEGINNING, ManualTerms, PriceLine, PriceRequest
from core.testing import factories

from .neutral import FALLBACK, NOW, Unsupported, below_first, conditions, moment, number, several

BEST_OF = ("Shuup", "Saleor", "Microsoft WideWorldImporters sample")
HUNDRED = Decimal(100)
A_WHILE = timedelta(seconds=1)
VOUCHER = "order voucher on the line"
ROW_KEYS = {
    "id", "kind", "scope", "target", "value", "min_qty", "max_qty", "currency", "region", "company", "segment", "customer",
    "priority", "valid_from", "valid_to", "base", "discount_percent", "surcharge", "price_list", "round_to", "round_mode",
    "min_margin", "max_margin", "uom", "percents", "additive", "margin_percent", "list_type",
}  # fmt: skip
KINDS = ("fixed", "percent", "amount_off", "factor", "formula", "cost_plus")
_numbers = count(1)
_CURRENCIES = list_currencies()


class World:
    """The objects of one case, under codes of their own."""

    def __init__(self, case: Mapping[str, Any]) -> None:
        self.case, self.query = case, case["query"]
        self.best = case["source"].get("system") in BEST_OF
        self.rules = [conditions(rule) for rule in case["rules"]]
        self.tag = f"X{next(_numbers)}"
        self.currency = self.query.get("currency") or ("USD" if "price_lists" in case else self._currency())
        self.categories: dict[str, Category] = {}
        self.products: dict[str, Product] = {}
        self.companies: dict[str, Company] = {}
        self.contracts: dict[Any, Contract] = {}
        self.sales: list[Contract] = []
        self.staged: dict[Any, Staged] = {}
        self.decimals: dict[str, int | None] = {}

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
        for place, rule in enumerate(self.rules):
            self._rule(place, rule)
        self._save()
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
        if not self.products:
            raise Unsupported("lists without products")
        product = next(iter(self.products.values()))
        with write() as session:
            row = {"target": product.id, "product_id": product.id, "unit": product.base_unit, "value": number(price)}
            session.add(ContractPrice(contract_id=contract.id, **row))

    def _close(self, code: str, values: dict[str, Any], *, closes: bool = True) -> Contract:
        """Make a contract after which nothing follows, unless something does."""
        priority = values.pop("priority", 0)
        return _contract(code[:40], "USD", priority, "override", {**values, "country": "", "closes": closes})

    def _rates(self) -> None:
        with write() as session:  # the last case's do not count
            session.execute(delete(CurrencyRate), execution_options={"synchronize_session": False})
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
        if given.get("pack_size"):
            raise Unsupported("packages that cannot be opened")
        included = self._included(str(given.get("tax", "")))
        named = [inner for factors in self.case.get("units", {}).values() for inner in factors]
        base = given.get("uom") or next(iter(named), "pcs")
        decimals = given.get("qty_decimals")
        self.decimals[given["id"]] = None if decimals is None else int(decimals)
        units = [factories.Unit(base, precision=3 if decimals is None else int(decimals))]
        for unit, factors in self.case.get("units", {}).items():
            units += _unit(base, unit, factors)
        category = self._category_of(given)
        price, currency = given.get("base_price"), given.get("currency") or self.currency
        if price == 0 and self.best and any(rule["kind"] == "fixed" for rule in self.rules):
            price = None  # Shuup's default price of zero is one that nobody has set
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

    def _category_of(self, given: Mapping[str, Any]) -> str:
        """Return the product's one category: of several the one by which the case makes prices."""
        names = given.get("template") or given.get("category") or "none"
        if not isinstance(names, list):
            return str(names)
        priced = {str(rule.get("target")) for rule in self.rules if rule["scope"] == "category"}
        if len(priced.intersection(map(str, names))) > 1:
            raise Unsupported("products in several categories that have prices")
        return str(next((name for name in names if str(name) in priced), names[0] if names else "none"))

    def _included(self, stated: str) -> Decimal | None:
        """Return the percent of tax that list prices include, None where they are without."""
        target = str(self.query.get("tax_mapping", "")).rpartition("->")[2]
        if "fixed" in stated:
            raise Unsupported("taxes of a fixed amount")
        shown = {"unit_price", "unit_price_shown", "was_price"} & set(self.case["expected"])
        by_hand = {"manual_price", "unit_price_set", "discount_amount_per_unit", "discount_amount"} & set(self.query)
        if "incl" in target and "included" not in stated:
            raise Unsupported("prices that are shown with tax")
        if ("incl" in target or ("included" in stated and not target)) and (shown or by_hand):
            raise Unsupported("prices that are shown with tax")
        return number(stated.split("%")[0]) if "included" in stated else None

    def _list_price(self, product: Product, price: Decimal, currency: str, included: Decimal | None) -> None:
        """Give the product its list price; one that includes tax is kept without, at the seller's own rate."""
        if included is None:
            factories.make_list_price(product, price, currency=currency, valid_from=BEGINNING)
            return
        with write() as session:
            session.execute(delete(TaxRate), execution_options={"synchronize_session": False})
        factories.make_tax_rate(rate=str(included))
        rates = domestic_rates({product.tax_class}, NOW.date())
        net = without_tax(price, rates[product.tax_class])
        factories.make_list_price(product, net, currency=currency, valid_from=BEGINNING)

    def _sell_in(self, currency: str) -> None:
        """Let the shop's own currency be the one of the list, from which prices are converted."""
        with write() as session:
            session.execute(update(Seller).values(currency=currency), execution_options={"synchronize_session": False})
            session.expire_all()

    def _rule(self, place: int, rule: Mapping[str, Any]) -> None:
        if rule["scope"] == VOUCHER:
            return  # a promotion
        strange = set(rule) - ROW_KEYS
        if strange:
            raise Unsupported(f"rules with {', '.join(sorted(strange))}")
        if rule["kind"] not in KINDS:
            raise Unsupported(f"rules of the kind {rule['kind']}")
        if rule["scope"] not in ("product", "category", "all", "product template"):
            raise Unsupported(f"rules for the scope {rule['scope']}")
        if rule.get("max_qty") is not None and number(rule["max_qty"]) < number(rule.get("min_qty") or 0):
            raise Unsupported("upper bounds of quantities")
        self._check_cost(rule)
        product, category = self._target(rule)
        kind, value, terms = self._deed(rule, kind_of=rule["kind"])
        if value != round(value, 6) or abs(value) >= 10**9:
            raise Unsupported("amounts beyond nine digits and six decimals")
        unit = self._unit_of(rule, product) if kind in ("fixed", "amount_off") else ""
        row = {
            "product_id": product and product.id, "category_id": category and category.id, "unit": unit, "kind": kind,
            "value": value, "terms": terms,
            "min_quantity": number(rule.get("min_qty") or 0),
            # a rule that only ends lies within those without an end: the window that began last holds
            "valid_from": moment(rule.get("valid_from")) or BEGINNING + (A_WHILE if rule.get("valid_to") else timedelta(0)),
            "valid_until": moment(rule.get("valid_to"), end=True),
        }  # fmt: skip
        for audience in self._audiences(rule):
            contract = self._contract(place, rule, audience)
            head = Header(contract.id, contract.code, contract.currency, allow_inverted=True)
            for one in (row, *self._end_of_ladder(rule, row)):
                values = {name: one[name] for name in ("valid_until", "kind", "value", "terms")}
                keys = {name: one[name] for name in ("product_id", "category_id", "unit", "min_quantity", "valid_from")}
                self._stage(Staged(len(self.staged), head, values=values, **keys))

    def _stage(self, row: Staged) -> None:
        known = self.staged.setdefault(row.key, row)
        if known.values != row.values:
            raise Unsupported("two prices for the same, of which none comes first")

    def _save(self) -> None:
        """Save the rows as forms and files do; Invalid where the product refuses one."""
        with write():
            saved = Saver(self.staged.values()).save(means="import")
        for problem in saved.problems.values():
            raise Invalid("CASE", problem.message)

    def _check_cost(self, rule: Mapping[str, Any]) -> None:
        """Refuse what Tukku decides otherwise: a cost that is missing is not zero, so the row says nothing."""
        asked = next((p for p in self.case["products"] if p["id"] == self.query.get("product")), {})
        by_cost = rule.get("base") == "cost" or rule["kind"] == "cost_plus"
        concerned = rule["scope"] == "all" or rule.get("target") == asked.get("id")
        if by_cost and concerned and asked.get("cost") is None:
            raise Unsupported("prices that are computed from a cost that is missing")

    def _end_of_ladder(self, rule: Mapping[str, Any], row: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the break that ends the rule at its upper bound: from there on the list price, if no other rule begins.

        A ladder has no holes in Tukku; an end above the quantity that is asked for makes no difference.
        """
        if rule.get("max_qty") is None or self._asked_quantity() <= number(rule["max_qty"]):
            return []
        last, alike = number(rule["max_qty"]), ("scope", "target", "company", "customer", "segment", "region", "currency")
        rivals = [other for other in self.rules if other is not rule and other["kind"] in KINDS]
        same = [r for r in rivals if all(r.get(name) == rule.get(name) for name in alike)]
        if any(number(rule.get("min_qty") or 0) < number(r.get("min_qty") or 0) <= last + 1 for r in same):
            return []
        if not self._concerns_buyer(rule):
            return []
        if rivals or rule["kind"] == "fixed":
            raise Unsupported("an upper bound of a quantity without a next break")
        step = Decimal(1).scaleb(min(0, int(last.normalize().as_tuple().exponent)))
        first = min(last + step, self._asked_quantity())  # half a piece above the bound is above it
        return [{**row, "min_quantity": first, "kind": "percent", "value": Decimal(0), "terms": None}]

    def _asked_quantity(self) -> Decimal:
        """Return the quantity of the question in the product's own unit."""
        quantity, unit = number(self.query.get("qty", 1)), self.query.get("uom")
        for other, factors in self.case.get("units", {}).items():
            for inner, factor in factors.items():
                if unit == other:  # a box of ten pieces, of a product in pieces, or in boxes
                    return quantity * number(factor) if self._own_unit() == inner else quantity
                if unit == inner and self._own_unit() == other:
                    return quantity / number(factor)
        return quantity

    def _own_unit(self) -> str:
        asked = self.products.get(str(self.query.get("product")))
        return asked.base_unit if asked else ""

    def _concerns_buyer(self, rule: Mapping[str, Any]) -> bool:
        """Tell whether a contract with the rule would be for the buyer of the question, in its currency."""
        asked = self.query
        groups, whom = asked.get("segments") or [asked.get("group")], rule.get("company") or rule.get("customer")
        return (
            (rule.get("currency") or self.currency) == self.currency
            and (not whom or (asked.get("company") or asked.get("customer")) in several(whom))
            and (not rule.get("segment") or any(group in several(rule["segment"]) for group in groups))
            and (not rule.get("region") or asked.get("region") in several(rule["region"]))
        )

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
        margin = number(rule.get("margin_percent") or 0)
        if margin and {"discount_amount", "discount_percent"} & set(self.case["expected"]):
            raise Unsupported("discounts that are shown off a price with its margin")
        if kind_of == "fixed" and (not margin or value):
            return kind_of, value * (100 + margin) / 100, None
        if kind_of == "amount_off" and not margin:
            return kind_of, value, None
        if kind_of == "cost_plus":
            return "formula", Decimal(0), {"base": "cost", "percent": [str(-value)]}
        percent = (
            value
            if kind_of == "percent"
            else (1 - value) * HUNDRED
            if kind_of == "factor"
            else number(rule.get("discount_percent") or 0)
        )
        percents = [str(p) for p in rule.get("percents") or ([-margin] if margin else []) + ([percent] if percent else [])]
        terms: dict[str, Any] = {"base": base, "percent": percents or ["0"]}
        if rule.get("additive"):
            terms["additive"] = True
        for name in ("surcharge", "round_to", "min_margin", "max_margin", "round_mode"):
            if rule.get(name) is not None:
                terms[name] = str(rule[name])
        if kind_of == "amount_off":
            terms["surcharge"] = str(-value)
        if kind_of in ("percent", "factor") and set(terms) == {"base", "percent"} and base == "list" and len(percents) < 2:
            return "percent", Decimal(percents[0]) if percents else Decimal(0), None
        return "formula", Decimal(0), terms

    def _list_code(self, name: str) -> str:
        return f"{self.tag}-{name}"[:40]

    def _audiences(self, rule: Mapping[str, Any]) -> Iterator[tuple[Any, Any, Any]]:
        """Yield company, segment and region of each contract that the rule stands in: a contract is for one of each."""
        if rule.get("company") and rule.get("customer"):
            raise Unsupported("a price for a customer of a company")
        companies = several(rule.get("company")) if rule.get("company") else several(rule.get("customer"))
        for company, segment, region in product_of(companies, several(rule.get("segment")), several(rule.get("region"))):
            if company and segment:
                if self._concerns_buyer({**rule, "company": company, "segment": segment, "region": region}):
                    raise Unsupported("a price for a company only while it is in a segment")
                company, segment = None, f"{company} in {segment}"  # nobody who asks is both
            yield company, segment, region

    def _contract(self, place: int, rule: Mapping[str, Any], audience: tuple[Any, Any, Any]) -> Contract:
        """Return the contract of the audience in which the rule stands."""
        ordered = any(r.get("priority") is not None for r in self.rules)
        name = rule.get("price_list")
        currency = rule.get("currency") or (
            self.currency if rule["kind"] in ("fixed", "amount_off", "formula", "factor") else ""
        )
        narrow = self._narrow(rule) if self._is_sale(name) else 0
        key = (*audience, name, currency, narrow, place if (self.best or ordered) and not self._is_base(name) else None)
        if key in self.contracts:
            return self.contracts[key]
        held = len(self.contracts)
        code = self._list_code(name) if name and not self._has(name) else f"{self.tag}-{held}"
        values = self._audience(*audience, hidden=bool(name) and not self._is_sale(name) and not self._is_for_all(name))
        values["date_basis"] = "wished" if self.query.get("requested_delivery_date") else "order"
        values["below_first"] = below_first(self.case.get("settings"))
        sales = any(self._is_sale(other.get("price_list")) for other in self.rules)
        yields = self.best or (sales and audience[0] and not name)
        policy = "best_of" if yields else "override"
        made = _contract(code, currency, self._priority(rule, audience), policy, values)
        self.contracts[key] = made
        if self._is_sale(name) and rule.get("list_type") != "override":
            self.sales.append(made)
        return made

    def _has(self, name: Any) -> bool:
        return any(key[3] == name for key in self.contracts)

    def _asked_list(self) -> str | None:
        return self.query.get("price_list") or self.case.get("price_list")

    def _is_base(self, name: Any) -> bool:
        """Tell whether another list is computed from this one."""
        return bool(name) and any(rule.get("base") == f"price list {name}" for rule in self.rules)

    def _is_for_all(self, name: Any) -> bool:
        """Tell whether everybody gets the list: the one that is asked for, or one on which prices fall back."""
        return name == self._asked_list() or self._is_fallback(name)

    def _is_fallback(self, name: Any) -> bool:
        loose = bool(name) and not self._asked_list() and not self._is_base(name)
        return loose and bool(FALLBACK.search(str(name)))

    def _is_sale(self, name: Any) -> bool:
        """Tell whether the list comes before other prices for whoever it is meant for, as nobody chooses it."""
        return bool(name) and not self._asked_list() and not self._is_base(name) and not self._is_fallback(name)

    def _priority(self, rule: Mapping[str, Any], audience: tuple[Any, Any, Any]) -> int:
        """Return Tukku's priority, of which the larger comes first."""
        stated = rule.get("priority")
        if stated is not None:
            first = "1 is looked at first" in str(self.case.get("priority_order", ""))
            return -int(stated) if first else int(stated)
        if self._is_fallback(rule.get("price_list")):
            return -1
        return self._narrow(rule) if self._is_sale(rule.get("price_list")) else int(bool(audience[2]))

    def _narrow(self, rule: Mapping[str, Any]) -> int:
        """Return how narrowly a sale is meant: more conditions come before fewer, one value before several."""
        limits = [rule.get(name) for name in ("company", "customer", "segment", "region") if rule.get(name)]
        return 10 + len(limits) + sum(1 for value in limits if not isinstance(value, list))

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

    def before_sales(self) -> PriceLine:
        """Ask for the price once more, as it is when the sales are over."""
        with write() as session:
            for contract in self.sales:
                session.merge(contract).status = "ended"
        return self.price()

    @property
    def of_lists(self) -> bool:
        """Whether there are lists that come before other prices."""
        return any(self._is_sale(rule.get("price_list")) for rule in self.rules)

    def price(
        self, quantity: Decimal | None = None, product: str | None = None, by_hand: Mapping[str, Any] | None = None
    ) -> PriceLine:
        """Ask the product for the price of the question, with what is agreed ``by_hand`` for this line or for all."""
        if not self.products:
            raise Unsupported("questions without a product")
        name = str(product or self.query.get("product") or next(iter(self.products)))
        if name not in self.products:
            raise Unsupported("questions about a product of which the case says nothing")
        asked = self.products[name]
        stated = [self.query.get(name) for name in ("order_date", "date", "now")]
        at = next((found for found in (moment(text, noon=True) for text in stated) if found), NOW)
        wished = self.query.get("requested_delivery_date")
        where = services.context(self.currency, at, self._buyer(), date.fromisoformat(wished) if wished else None)
        unit = self.query.get("uom") or asked.base_unit
        self._sold_so(asked)
        request = PriceRequest("1", asked.id, unit, number(self.query.get("qty", 1)) if quantity is None else quantity)
        found = services.price(where, [request], explain=True).lines[0]
        if not self._may_be_ordered(request):
            found.price = None
        terms = self._terms({**self.query, **(by_hand or {})})
        if terms is None:
            return found
        by_key = {"1": checked(replace(terms, per=found.per), found)}
        return services.price(where, [request], explain=True, manual=by_key).lines[0]

    def _may_be_ordered(self, request: PriceRequest) -> bool:
        """Ask the product whether the unit can be split so; what cannot be ordered has no price."""
        decimals = self.decimals.get(str(self.query.get("product")))
        if decimals is None:
            return True
        least = Decimal(1).scaleb(-decimals)
        return check_quantity(UnitInfo(request.unit, precision=decimals, minimum=least, step=least), request.quantity).ok

    def _sold_so(self, asked: Product) -> None:
        """Refuse what Tukku decides otherwise: whether a quantity is a whole one, not whether its unit only has such."""
        decimals, settings = self.decimals.get(str(self.query.get("product"))), self.case.get("settings")
        if settings and decimals and below_first(settings) == "whole" and number(self.query.get("qty", 1)) % 1 == 0:
            raise Unsupported("prices below the first break by the decimals of a unit: they go by the quantity")

    def _terms(self, asked: Mapping[str, Any]) -> ManualTerms | None:
        """Return what the question says was agreed for the line by hand."""
        given: dict[str, Any] = {}
        price = asked.get("manual_price", asked.get("unit_price_set"))
        amount = asked.get("discount_amount_per_unit", asked.get("discount_amount"))
        percents = asked.get("discounts_percent") or [
            asked[name] for name in ("line_discount_percent", "discount_percent") if name in asked
        ]
        if asked.get("discount_rate") is not None:
            percents = [number(asked["discount_rate"]) * HUNDRED]
        if price is not None:
            given["price"] = number(price)
        if amount is not None:
            given["amount"] = number(amount)
        if percents:
            given["percents"] = tuple(number(percent) for percent in percents)
        return ManualTerms(**given, added=asked.get("combine") == "add") if given else None

    def _buyer(self) -> int | None:
        buyer = self.buyer_company()
        return buyer.id if buyer else None

    def buyer_company(self) -> Company | None:
        """Return who asks, None for a visitor."""
        if "customer" in self.query and self.query["customer"] is None:
            return None
        return self.company(str(self.query.get("company") or self.query.get("customer") or "the buyer"))


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
