"""The demo assortment as rows of the product import files."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from core.demo.articles import Article, number, rounded
from core.demo.bearings import bearings_and_seals
from core.demo.fasteners import fasteners
from core.demo.identifiers import gtin
from core.demo.piping import piping
from core.demo.vocabulary import ATTRIBUTES, CATEGORIES, VALUES_FI

Row = dict[str, str]

# What one euro costs when the demo's list prices are set.
RATES = {
    "EUR": Decimal(1),
    "SEK": Decimal("11.35"),
    "PLN": Decimal("4.28"),
    "USD": Decimal("1.12"),
    "TRY": Decimal("39.4"),
}
SHOWCASE = {"4017-8.8-ZN-M8X40", "933-8.8-ZN-M8X40", "4032-8-ZN-M8", "7089-200HV-ZN-M8", "6204-2RS"}
PARTIAL_CURRENCIES = {"USD": 3, "TRY": 2}  # every third and every second article has no price in them


def articles(seed: int, scale: float) -> tuple[Article, ...]:
    """Return the assortment, thinned evenly where `scale` is below one; a few articles are discontinued."""
    chosen = _thinned([*fasteners(), *bearings_and_seals(), *piping()], scale)
    rng = random.Random(f"{seed}/articles")  # noqa: S311 - sample data, not a secret
    heavy = [article.sku for article in chosen if article.status == "active" and article.weight > 1]
    leaving = set(rng.sample(heavy, k=min(8, len(heavy) // 4)))
    return tuple(
        replace(article, status="discontinued") if article.sku in leaving else _with_box_price(article, rng)
        for article in chosen
    )


def _thinned(everything: list[Article], scale: float) -> list[Article]:
    """Keep every n-th article, the articles that the showcase needs, and what replaced those kept."""
    if scale >= 1:
        return everything
    step = round(1 / scale)
    kept = {article.sku for article in everything[::step]} | SHOWCASE
    kept |= {article.superseded_by for article in everything if article.sku in kept}
    return [article for article in everything if article.sku in kept]


def _with_box_price(article: Article, rng: random.Random) -> Article:
    """Give one article in six a box price of its own, five per cent below that of the pieces."""
    if rng.random() > 1 / 6 or len(article.packages) < 2 or article.packages[1].unit != "box":
        return article
    base, box, *rest = article.packages
    price = rounded(article.price * box.factor / article.per * Decimal("0.95"))
    return replace(article, packages=(base, replace(box, own_price=price), *rest))


def category_rows() -> Iterator[Row]:
    """Yield the rows of categories.csv, parents first."""
    for place, (code, parent, en, fi) in enumerate(CATEGORIES, 1):
        yield {"code": code, "parent": parent, "name_en": en, "name_fi": fi, "position": str(place * 10)}


def attribute_rows() -> Iterator[Row]:
    """Yield the rows of attributes.csv."""
    for place, (code, en, fi, kind, unit, facet) in enumerate(ATTRIBUTES, 1):
        yield {
            "code": code,
            "name_en": en,
            "name_fi": fi,
            "type": kind,
            "unit": unit,
            "facet": "yes" if facet else "no",
            "labels_fi": ";".join(f"{value}={label}" for value, label in VALUES_FI.get(code, {}).items()),
            "position": str(place * 10),
        }


def product_rows(goods: Sequence[Article]) -> Iterator[Row]:
    """Yield the rows of products.csv."""
    for place, article in enumerate(goods, 1):
        yield {
            "sku": article.sku,
            "name_en": article.name_en,
            "name_fi": article.name_fi,
            "description_en": article.text_en,
            "description_fi": article.text_fi,
            "category": article.category,
            "gtin": gtin(place),
            "manufacturer": article.maker,
            "manufacturer_code": article.maker_code,
            "tax_class": "standard",
            "base_unit": article.base_unit,
            "status": article.status,
            "superseded_by": article.superseded_by,
            "weight_kg": number(article.weight),
            "image": f"{article.picture}.svg",
            **{f"attr:{code}": article.attributes.get(code, "") for code, *_ in ATTRIBUTES},
        }


def unit_rows(goods: Sequence[Article]) -> Iterator[Row]:
    """Yield the rows of product_units.csv; boxes carry a GTIN of their own."""
    for place, article in enumerate(goods, 1):
        for package in article.packages:
            yield {
                "sku": article.sku,
                "unit": package.unit,
                "factor": str(package.factor),
                "precision": str(package.precision),
                "minimum": number(package.minimum),
                "step": number(package.step),
                "gtin": gtin(50_000 + place) if package.unit == "box" else "",
                "price_from_base": "yes" if package.factor > 1 else "no",
            }


def in_currency(price: Decimal, currency: str, per: int) -> Decimal:
    """Convert a EUR price; small prices of single pieces keep four decimals."""
    places = "0.0001" if per == 1 and price < 1 else "0.01"
    return rounded(price * RATES[currency], places)


def has_price(place: int, currency: str) -> bool:
    """Tell whether the article at this place of the assortment has a list price in the currency."""
    skipped = PARTIAL_CURRENCIES.get(currency)
    return skipped is None or place % skipped != 0


def list_price_rows(goods: Sequence[Article], today: date) -> Iterator[Row]:
    """Yield the rows of list_prices.csv: each currency, and the boxes with a price of their own."""
    since = (today - timedelta(days=730)).replace(day=1).isoformat()
    for place, article in enumerate(goods):
        for currency in RATES:
            if has_price(place, currency):
                price = in_currency(article.price, currency, article.per)
                yield _price_row(article.sku, article.base_unit, currency, since, price, article.per)
                for package in article.packages:
                    if package.own_price:
                        own = in_currency(package.own_price, currency, 1)
                        yield _price_row(article.sku, package.unit, currency, since, own, 1)


def value_rows(goods: Sequence[Article]) -> Iterator[Row]:
    """Yield the rows of product_values.csv: what a base unit costs the merchant, half to two thirds of its list price."""
    for place, article in enumerate(goods):
        share = Decimal(52 + place * 7 % 13) / 100
        cost = rounded(article.price * share / article.per, "0.0001")
        yield {"sku": article.sku, "kind": "cost", "currency": "EUR", "amount": number(cost)}


def _price_row(sku: str, unit: str, currency: str, since: str, price: Decimal, per: int) -> Row:
    return {
        "sku": sku,
        "unit": unit,
        "currency": currency,
        "from": since,
        "price": number(price),
        "per": str(per),
        "until": "",
    }
