"""What the demo's customers have agreed beside their prices, and a voucher of the merchant."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from core.demo.articles import Article
from core.demo.assortment import Row


def volume_rows(goods: Sequence[Article], today: date) -> Iterator[Row]:
    """Yield the rows of volume_agreements.csv: an article of a customer that takes many, and a category of another."""
    sold = [a for a in goods if a.status == "active" and not a.superseded_by]
    bearing = next((a for a in sold if a.category == "taper-302"), sold[-1])  # a thin assortment may have none
    start, end = today.isoformat(), (today + timedelta(days=200)).isoformat()
    for code, company, name, sku, category, unit, quantity, percent in (
        ("VA-KONEPAJA", "KONEPAJA", "Taper roller bearings for the gearbox line", bearing.sku, "", "pcs", "600", "35"),
        ("VA-NORDBYGG", "NORDBYGG", "Gaskets for the Stockholm sites", "", "gaskets", "pcs", "4000", "22"),
    ):
        yield {
            "code": code, "name": name, "company": company, "sku": sku, "category": category, "unit": unit,
            "quantity": quantity, "kind": "percent", "value": percent, "valid_from": start, "valid_until": end,
        }  # fmt: skip


def rebate_rows(today: date) -> Iterator[Row]:
    """Yield the rows of rebates.csv; they count what was ordered since the beginning of the year."""
    for code, company, name, categories, steps in (
        ("RB-KONEPAJA", "KONEPAJA", "Yearly bonus", "", "10000=1;25000=2;100000=3"),
        ("RB-NORDBYGG", "NORDBYGG", "Bonus on fasteners", "fasteners", "5000=1;20000=2.5"),
    ):
        yield {
            "code": code, "name": name, "company": company, "period": "year", "starts": f"{today.year}-01-01",
            "basis": "net", "kind": "percent", "mode": "retroactive", "steps": steps, "categories": categories,
        }  # fmt: skip


def promotion_rows(today: date) -> Iterator[Row]:
    """Yield the rows of promotions.csv: a voucher and free goods, so that nobody's totals change unasked."""
    days = {
        "valid_from": (today - timedelta(days=10)).isoformat(), "valid_until": (today + timedelta(days=50)).isoformat(),
    }  # fmt: skip
    names = (
        "value", "min_value", "currency", "voucher", "uses_per_company", "for_every", "free_quantity", "counted_category",
        "on_agreed",
    )  # fmt: skip
    for code, name, kind, values in (
        ("AUTUMN-FAIR", "Autumn fair: 5 percent off the order", "percent", ("5", "200", "EUR", "FAIR-5", "2", *[""] * 4)),
        ("SEALS-20-1", "Seals: 20 + 1", "free_goods", ("", "", "", "", "", "20", "1", "seals", "yes")),
    ):
        yield {
            "code": code, "name": name, "kind": kind, **dict(zip(names, values, strict=True)),
            "status": "active", **days,
        }  # fmt: skip


def assortment_rows() -> Iterator[Row]:
    """Yield the rows of assortments.csv: a fitter of pipes, for whom nobody signs in, orders what fitters use."""
    yield {
        "code": "AS-SAVOLVI", "name": "What pipe fitters use", "audience": "company", "company": "SAVOLVI", "mode": "only",
        "status": "active", "note": "Agreed with the purchasing manager: no bearings, and of fasteners washers only.",
    }  # fmt: skip


def assortment_goods_rows() -> Iterator[Row]:
    """Yield the rows of assortment_rows.csv."""
    for category in ("piping", "seals", "washers"):
        yield {"assortment": "AS-SAVOLVI", "sku": "", "category": category}
