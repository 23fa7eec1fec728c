"""The report of prices: what a company pays for each article of its assortment on a day, with the reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select

from core.catalog.models import Product
from core.catalog.services import texts_of
from core.catalog.visibility import of_company
from core.companies.models import Company
from core.companies.services import seller
from core.data import clock
from core.data.db import db
from core.i18n import _, _l
from core.pricing import services
from core.spec.errors import Invalid
from core.spec.pricing import PriceRequest
from core.spec.reports import ReportColumn, ReportParameter, ReportSource

_PART = 500


def _today() -> date:
    return clock.today(seller().zone)


def _prices(values: Mapping[str, Any]) -> Iterator[Sequence[Any]]:
    """Yield the prices, a part of the assortment at a time: statements grow with parts, not with articles."""
    company_id = db.session.scalar(select(Company.id).where(Company.code == values["company"]))
    if company_id is None:
        said = _("There is no company %(code)s.", code=values["company"][:40])
        raise Invalid("COMPANY-UNKNOWN", said, details={"field": "company"})
    at = clock.start_of_day(values["day"], seller().zone) if values["day"] != _today() else None
    return _rows(services.context(None, at, company_id), of_company(company_id))


def _rows(where: Any, assortment: Any) -> Iterator[Sequence[Any]]:
    last = ""
    while True:
        query = select(Product.id, Product.sku, Product.base_unit).where(Product.sku > last, *assortment)
        products = db.session.execute(query.order_by(Product.sku).limit(_PART)).all()
        if not products:
            return
        last, names = products[-1].sku, texts_of([p.id for p in products])
        batch = services.price(where, [PriceRequest(str(p.id), p.id, p.base_unit) for p in products]).by_key()
        for product in products:
            line = batch[str(product.id)]
            name = names.get(product.id, ("",))[0]
            yield (
                product.sku, name, line.price, line.per, line.unit, line.list_price if line.show_list else None,
                str(line.reason or ("" if line.price is not None else _("Ask for a quote"))), where.currency,
            )  # fmt: skip


REPORTS = (
    ReportSource(
        "prices",
        _l("Price list of a company"),
        (
            ReportColumn("sku", _l("Article code"), "code"),
            ReportColumn("name", _l("Article")),
            ReportColumn("price", _l("Price"), "price", "currency"),
            ReportColumn("per", _l("Price is for"), "quantity", "unit"),
            ReportColumn("unit", _l("Unit")),
            ReportColumn("list_price", _l("List price"), "price", "currency"),
            ReportColumn("reason", _l("Reason")),
            ReportColumn("currency", _l("Currency")),
        ),
        _prices,
        "pricing.price.manage",
        (
            ReportParameter("company", _l("Company code"), required=True),
            ReportParameter("day", _l("On the day"), "day", _today, required=True),
        ),
        _l("What a company pays for one of each article that it may see, without tax, with the reason."),
        order=40,
    ),
)
