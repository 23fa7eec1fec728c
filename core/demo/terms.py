"""The demo's price lists and contracts, and what a company pays under them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from core.demo.articles import Article, number
from core.demo.assortment import Row, has_price, in_currency
from core.demo.customers import Customer
from core.demo.vocabulary import CATEGORIES

SHOWCASE_SKU = "4017-8.8-ZN-M8X40"
_PARENTS = {code: parent for code, parent, *_ in CATEGORIES}


@dataclass(frozen=True, slots=True)
class Terms:
    """One contract or price list with its percents by category and its fixed prices.

    `fixed` maps a SKU to quantity breaks (from how many, price in the contract's currency for `per` pieces).
    """

    code: str
    name: str
    audience: str
    target: str
    currency: str
    policy: str
    start: date
    end: date | None = None
    percents: tuple[tuple[str, Decimal], ...] = ()
    fixed: tuple[tuple[str, tuple[tuple[int, Decimal], ...], int], ...] = ()
    priority: int = 0
    note: str = ""

    def valid(self, day: date) -> bool:
        """Tell whether a day lies between the first and the last day, both included."""
        return self.start <= day and (self.end is None or day <= self.end)


def terms(goods: Sequence[Article], today: date) -> tuple[Terms, ...]:
    """Return every contract and price list; the years in their codes follow `today`."""
    return (*_public(today), *_segments(today), *_contracts(goods, today))


def _public(today: date) -> Iterator[Terms]:
    offers = (("o-rings", Decimal(15)), ("gaskets", Decimal(10)))
    for currency in ("EUR", "SEK"):
        start, end = today - timedelta(days=20), today + timedelta(days=40)
        name = f"Campaign: seals and gaskets ({currency})"
        yield Terms(f"CAMPAIGN-{currency}", name, "public", "", currency, "best_of", start, end, offers)


def _segments(today: date) -> Iterator[Terms]:
    start = (today - timedelta(days=420)).replace(day=1)
    discounts = {
        "gold": ("best_of", (("fasteners", 12), ("bearings", 10), ("piping", 8))),
        "silver": ("best_of", (("fasteners", 6), ("bearings", 5), ("piping", 4), ("seals", 5))),
        "construction": ("best_of", (("bolts", 8), ("malleable", 12), ("pipes", 10))),
        "marine": ("best_of", (("press-stainless", 14), ("valves-stainless", 12), ("bolts", 7))),
        "maintenance": ("best_of", (("bearings", 12), ("seals", 8))),
    }
    for segment, (policy, percents) in discounts.items():
        for currency in ("EUR", "SEK", "PLN", "TRY"):
            rows = tuple((code, Decimal(value)) for code, value in percents)
            name = f"{segment.capitalize()} price list {currency}"
            yield Terms(
                f"LIST-{segment.upper()}-{currency}",
                name,
                "segment",
                segment,
                currency,
                policy,
                start,
                None,
                rows,
            )


def _contracts(goods: Sequence[Article], today: date) -> Iterator[Terms]:
    year, start = today.year, (today - timedelta(days=430)).replace(day=1)
    showcase = {"KONEPAJA": ("8.15", "7.6", "6.95"), "NORDBYGG": ("8.9", "8.45", "8.2")}
    plans = (  # company, currency, factors of the price by break, categories with fixed prices, percents
        ("KONEPAJA", "EUR", ("0.80", "0.75", "0.69"), ("hex-full", "hex-nuts"), (("bearings", 18),)),
        (
            "NORDBYGG",
            "EUR",
            ("0.88", "0.84", "0.81"),
            ("hex-full", "malleable-elbows"),
            (("fasteners", 10), ("pipes", 15)),
        ),
        ("SVEAMEK", "SEK", ("0.82", "0.78", "0.74"), ("socket-head", "ball-62"), (("bearings", 15),)),
        ("STALMEX", "PLN", ("0.84", "0.80", "0.76"), ("hex-part", "hex-nuts"), (("fasteners", 14),)),
        ("MARMARA", "TRY", ("0.86", "0.82", "0.80"), ("ball-60", "taper-302"), (("bearings", 9),)),
    )
    for company, currency, factors, categories, percents in plans:
        chosen = [a for a in goods if a.category in categories and a.status == "active"][::3]
        rows = [(a.sku, _breaks(a, currency, factors), a.per) for a in chosen if a.sku != SHOWCASE_SKU]
        if company in showcase:
            prices = (Decimal(price) for price in showcase[company])
            rows.insert(0, (SHOWCASE_SKU, tuple(zip((1, 500, 5000), prices, strict=True)), 100))
        yield Terms(
            f"{company}-{year}",
            f"Frame contract {company.capitalize()} {year}",
            "company",
            company,
            currency,
            "override",
            start,
            None,
            tuple((code, Decimal(value)) for code, value in percents),
            tuple(rows),
            priority=10,
        )
    yield from _special_contracts(goods, today, start)


def _special_contracts(goods: Sequence[Article], today: date, start: date) -> Iterator[Terms]:
    """Yield the group's contract that subsidiaries inherit, one that ends soon, and one to come."""
    group = (("piping", Decimal(20)), ("seals", Decimal(12)))
    yield Terms(
        "VIRTANEN-GROUP",
        "Virtanen group: pipes and seals",
        "company",
        "VIRTANEN",
        "EUR",
        "best_of",
        start,
        percents=group,
        note="Inherited by every company of the group.",
    )
    yield Terms(
        "TELAKKA-PROJECT",
        "Shipyard project",
        "company",
        "TELAKKA",
        "EUR",
        "override",
        start,
        today + timedelta(days=18),
        (("press-stainless", Decimal(25)), ("valves", Decimal(18))),
        note="Ends soon: negotiate before the last day.",
    )
    gaps = [a for place, a in enumerate(goods) if not has_price(place, "USD") and a.status == "active"][::12]
    yield Terms(
        "IZMIRTERSANE-GAPS",
        "Prices where the dollar list has none",
        "company",
        "IZMIRTERSANE",
        "USD",
        "fallback",
        start,
        fixed=tuple((a.sku, _breaks(a, "USD", ("1", "0.97", "0.94")), a.per) for a in gaps),
    )
    bearings = [a for a in goods if a.category == "ball-62" and a.status == "active"][:12]
    future = tuple((a.sku, _breaks(a, "EUR", ("0.77", "0.72", "0.68")), a.per) for a in bearings)
    yield Terms(
        "HANSEMASCH-NEXT",
        "Hanse Maschinenbau, next period",
        "company",
        "HANSEMASCH",
        "EUR",
        "override",
        today + timedelta(days=30),
        today + timedelta(days=395),
        (("bearings", Decimal(16)),),
        future,
    )


def _breaks(article: Article, currency: str, factors: Sequence[str]) -> tuple[tuple[int, Decimal], ...]:
    steps = (1, 500, 5000) if article.per == 100 else (1, 10, 50)
    return tuple(
        (step, in_currency(article.price * Decimal(factor), currency, article.per))
        for step, factor in zip(steps, factors, strict=True)
    )


def contract_rows(everything: Sequence[Terms]) -> Iterator[Row]:
    """Yield the rows of contracts.csv."""
    for one in everything:
        yield {
            "code": one.code,
            "name": one.name,
            "audience": one.audience,
            "company": one.target if one.audience == "company" else "",
            "segment": one.target if one.audience == "segment" else "",
            "currency": one.currency,
            "merge_policy": one.policy,
            "priority": str(one.priority),
            "valid_from": one.start.isoformat(),
            "valid_until": one.end.isoformat() if one.end else "",
            "note": one.note,
        }


def contract_price_rows(everything: Sequence[Terms], units: Mapping[str, str]) -> Iterator[Row]:
    """Yield the rows of contract_prices.csv; `units` maps a SKU to its base unit."""
    for one in everything:
        for category, percent in one.percents:
            yield _price_row(one, "percent", number(percent), category=category)
        for sku, breaks, per in one.fixed:
            for step, price in breaks:
                extra = {"sku": sku, "unit": units[sku], "min_quantity": str(step), "per": str(per)}
                yield _price_row(one, "fixed", number(price), **extra)


def _price_row(one: Terms, kind: str, value: str, **values: str) -> Row:
    empty = dict.fromkeys(("sku", "category", "unit", "min_quantity", "per"), "")
    return {
        "contract": one.code,
        **empty,
        **values,
        "currency": one.currency,
        "from": "",
        "kind": kind,
        "value": value,
        "until": "",
    }


class Pricer:
    """What a company pays for base units: list price, then price lists, then contracts, weakest first."""

    def __init__(self, goods: Sequence[Article], buyers: Sequence[Customer], everything: Sequence[Terms]) -> None:
        self._goods = {article.sku: (place, article) for place, article in enumerate(goods)}
        self._buyers = {buyer.code: buyer for buyer in buyers}
        self._terms = everything
        self._prices = {(one.code, sku): breaks for one in everything for sku, breaks, _ in one.fixed}
        self.applicable = lru_cache(maxsize=None)(self._applicable)

    def _applicable(self, code: str, day: date) -> tuple[Terms, ...]:
        """Return the terms that reach a company on a day, the weakest first."""
        buyer = self._buyers[code]
        chain = [code]
        while parent := self._buyers[chain[-1]].parent:
            chain.append(parent)
        segments = {segment for name in chain for segment in self._buyers[name].segments}
        rank = {("public", ""): 0, **{("segment", segment): 1 for segment in segments}}
        rank |= {("company", name): 10 - depth for depth, name in enumerate(chain)}
        reached = [
            one
            for one in self._terms
            if (one.audience, one.target) in rank and one.currency == buyer.currency and one.valid(day)
        ]
        return tuple(sorted(reached, key=lambda one: (rank[one.audience, one.target], one.priority, one.code)))

    def price(self, code: str, sku: str, quantity: Decimal, day: date) -> Decimal | None:
        """Return the net price for the article's `per` base units, or None where nothing says one."""
        place, article = self._goods[sku]
        currency = self._buyers[code].currency
        listed = in_currency(article.price, currency, article.per) if has_price(place, currency) else None
        price = listed
        for one in self.applicable(code, day):
            found = self._candidate(one, article, quantity, listed)
            if found is not None and (price is None or one.policy == "override"):
                price = found
            elif found is not None and price is not None and one.policy == "best_of":
                price = min(price, found)
        return price

    def _candidate(self, one: Terms, article: Article, quantity: Decimal, listed: Decimal | None) -> Decimal | None:
        reached = [price for step, price in self._prices.get((one.code, article.sku), ()) if step <= quantity]
        if reached:
            return reached[-1]
        percents = dict(one.percents)
        percent = next((percents[code] for code in _path(article.category) if code in percents), None)
        if percent is None or listed is None:
            return None
        return (listed * (100 - percent) / 100).quantize(_precision(listed), ROUND_HALF_UP)


def _precision(listed: Decimal) -> Decimal:
    """Return the last digit of a price that follows from a list price: as fine as that one, cents at least."""
    exponent = listed.normalize().as_tuple().exponent
    return Decimal(1).scaleb(min(-2, exponent if isinstance(exponent, int) else 0))


def _path(category: str) -> Iterator[str]:
    """Yield a category and those above it, nearest first."""
    while category:
        yield category
        category = _PARENTS[category]
