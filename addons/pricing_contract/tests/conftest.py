"""An app with this addon only, and short ways to make contracts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from addons.pricing_contract import models
from addons.pricing_contract.engine import agreement_step
from addons.pricing_contract.floors import floor_step
from core.catalog.models import Category, Product
from core.companies.models import Company, Segment
from core.data import clock
from core.data.db import db
from core.data.scope import set_actor, system
from core.data.write import write
from core.pricing import services
from core.pricing.base import list_price_step
from core.pricing.converted import converted_step
from core.pricing.manual import manual_step
from core.pricing.pipeline import OwnedStep, ordered, round_step
from core.spec.pricing import BEGINNING, PriceLine, PriceRequest
from core.testing import factories
from core.testing.apps import bare_app, closing
from core.testing.databases import Databases


@pytest.fixture
def office(app_with: Callable[..., Flask]) -> Flask:
    """The whole app, with contract prices as its only addon."""
    return app_with(addons=["pricing_contract"])


@pytest.fixture
def shop(databases: Databases, data_dir: Path) -> Iterator[Flask]:
    """A bare app with the price pipeline: enough for prices, and built at once."""
    url = databases.migrated(["pricing_contract"]).render_as_string(hide_password=False)
    app = bare_app(url, data_dir)
    steps = (list_price_step(), converted_step(lambda: True), manual_step(), round_step())
    core = [OwnedStep("pricing", step) for step in steps]
    addon = [OwnedStep("pricing_contract", step) for step in (agreement_step(), floor_step())]
    app.extensions["tukku.price_steps"] = ordered([*core, *addon])
    with closing(app), app.app_context():
        set_actor(system("tests"))
        factories.make_seller()
        yield app


def contract(code: str, *, company: Company | None = None, segment: Segment | None = None, **values: Any) -> models.Contract:
    """Return a new active contract in euros."""
    audience = "company" if company else "segment" if segment else values.pop("audience", "public")
    defaults = {"name": f"Contract {code}", "currency": "EUR", "created_at": clock.now(), "updated_at": clock.now()}
    with write() as session:
        made = models.Contract(
            code=code, audience=audience, company_id=company.id if company else None,
            segment_id=segment.id if segment else None, **{**defaults, **values},
        )  # fmt: skip
        session.add(made)
    return made


def row(
    where: models.Contract,
    target: Product | Category | None,
    value: str,
    *,
    kind: str = "fixed",
    unit: str | None = None,
    min_quantity: str = "0",
    per: str = "1",
    start: datetime = BEGINNING,
    end: datetime | None = None,
    terms: dict[str, Any] | None = None,
) -> None:
    """Add a row to a contract."""
    product = target.id if isinstance(target, Product) else None
    category = target.id if isinstance(target, Category) else None
    if unit is None:
        unit = target.base_unit if isinstance(target, Product) and kind == "fixed" else ""
    with write() as session:
        session.add(
            models.ContractPrice(
                contract_id=where.id, target=models.target_of(product, category), product_id=product, category_id=category,
                kind=kind, value=Decimal(value), unit=unit, min_quantity=Decimal(min_quantity), per=Decimal(per),
                valid_from=start, valid_until=end, terms=terms,
            )
        )  # fmt: skip


def priced(
    product: Product,
    company: Company | None = None,
    quantity: str = "1",
    unit: str = "",
    *,
    currency: str = "EUR",
    at: datetime | None = None,
    explain: bool = False,
) -> PriceLine:
    """Return the line of one price."""
    db.session.expire_all()
    where = services.context(currency, at, company.id if company else None)
    request = PriceRequest("1", product.id, unit or product.base_unit, Decimal(quantity))
    return services.price(where, [request], explain).lines[0]
