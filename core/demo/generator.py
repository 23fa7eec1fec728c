"""Writes the demo merchant as import files; the same day, seed and scale give the same bytes."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from core.demo.agreements import assortment_goods_rows, assortment_rows, promotion_rows, rebate_rows, volume_rows
from core.demo.approvals import approval_rows
from core.demo.articles import Article, number
from core.demo.assortment import (
    RATES,
    Row,
    articles,
    attribute_rows,
    category_rows,
    list_price_rows,
    product_rows,
    unit_rows,
    value_rows,
)
from core.demo.customers import address_rows, company_rows, customers
from core.demo.history import History, item_code_rows
from core.demo.people import staff_rows, user_rows
from core.demo.pictures import write_pictures
from core.demo.spending import budget_rows, cost_centre_rows, order_cost_centre_rows
from core.demo.terms import Pricer, contract_price_rows, contract_rows, terms

ORDERS = 1500
ITEM_CODE_COMPANIES = (
    "KONEPAJA",
    "NORDBYGG",
    "TELAKKA",
    "SVEAMEK",
    "STALMEX",
    "HANSEMASCH",
    "POHJARAK",
    "MARMARA",
)

_TAX = (  # country, rates of the standard and of the reduced category, in force since
    ("FI", "25.5", "13.5", "2024-09-01"),
    ("SE", "25", "12", "1990-07-01"),
    ("EE", "24", "9", "2025-07-01"),
    ("PL", "23", "8", "2011-01-01"),
    ("TR", "20", "10", "2023-07-10"),
    ("DE", "19", "7", "2021-01-01"),
)


@dataclass(frozen=True, slots=True)
class Summary:
    """What was written: the folder and the number of rows of each file, in the order of import."""

    directory: Path
    rows: dict[str, int] = field(default_factory=dict)


def generate(directory: Path, until: datetime, seed: int = 1, scale: float = 1.0) -> Summary:
    """Write the CSV files and pictures of the demo merchant into `directory`.

    `until` is when the year of orders ends, in the merchant's zone; `scale` below one thins assortment and orders.
    """
    today = until.date()
    goods = articles(seed, scale)
    buyers = customers()
    conditions = terms(goods, today)
    history = History(goods, buyers, Pricer(goods, buyers, conditions), seed)
    orders = list(history.orders(until, max(20, round(ORDERS * scale))))
    own_codes = [(buyer, history.favourites(buyer.code)) for buyer in buyers if buyer.code in ITEM_CODE_COMPANIES]
    units = {article.sku: article.base_unit for article in goods}
    files: dict[str, Iterable[Row]] = {
        "tax_rates": _tax_rows(),
        "currency_rates": _currency_rows(today),
        "categories": category_rows(),
        "attributes": attribute_rows(),
        "products": product_rows(_replacements_first(goods)),
        "product_units": unit_rows(_replacements_first(goods)),
        "list_prices": list_price_rows(goods, today),
        "product_values": value_rows(goods),
        "staff": staff_rows(),
        "companies": company_rows(buyers),
        "addresses": address_rows(buyers),
        "users": user_rows(buyers),
        "item_codes": item_code_rows(own_codes),
        "contracts": contract_rows(conditions),
        "contract_prices": contract_price_rows(conditions, units),
        "approval_rules": approval_rows(),
        "orders": (order.row for order in orders),
        "order_lines": (line for order in orders for line in order.lines),
        "cost_centres": cost_centre_rows(),
        "budgets": budget_rows(today),
        "order_cost_centres": order_cost_centre_rows(order.row for order in orders),
        "volume_agreements": volume_rows(goods, today),
        "rebates": rebate_rows(today),
        "promotions": promotion_rows(today),
        "assortments": assortment_rows(),
        "assortment_rows": assortment_goods_rows(),
    }
    directory.mkdir(parents=True, exist_ok=True)
    write_pictures(directory / "images")
    return Summary(directory, {name: _write(directory / f"{name}.csv", rows) for name, rows in files.items()})


def _replacements_first(goods: Sequence[Article]) -> list[Article]:
    """Put the replaced articles last, so that each row refers to one above it."""
    return sorted(goods, key=lambda article: bool(article.superseded_by))


def _write(path: Path, rows: Iterable[Row]) -> int:
    everything = list(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(everything[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(everything)
    return len(everything)


def _tax_rows() -> Iterator[Row]:
    for country, standard, reduced, since in _TAX:
        for category, rate in (("standard", standard), ("reduced", reduced), ("zero", "0")):
            yield {"country": country, "category": category, "from": since, "rate": rate, "until": ""}


def _currency_rows(today: date) -> Iterator[Row]:
    """Yield a rate for each month of two years; it swings a little round the demo's own."""
    for currency in (code for code in RATES if code != "EUR"):
        for month in range(24):
            year, index = divmod(today.year * 12 + today.month - 1 - month, 12)
            swing = Decimal((month * 7 + len(currency) * 5) % 9 - 4) / 400
            yield {
                "from": "EUR",
                "to": currency,
                "date": date(year, index + 1, 1).isoformat(),
                "rate": number((RATES[currency] * (1 + swing)).quantize(Decimal("0.0001"))),
                "source": "demo",
            }
