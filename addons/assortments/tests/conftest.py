"""A shop with a small tree of categories, companies in a tree and a segment, and short ways to make assortments and buy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from addons.assortments import editing
from addons.assortments.models import Assortment
from core.accounts.roles import permissions_of
from core.catalog import listing
from core.catalog.models import Product
from core.catalog.search.documents import reindex
from core.catalog.selection import Selection
from core.companies.models import Company
from core.companies.segments import segment_by_code
from core.data.db import db
from core.data.scope import Actor, Scope, acting, guest, system
from core.data.write import write
from core.pricing.services import VIEW as PRICES
from core.spec.pricing import BEGINNING
from core.testing import factories

SKUS = ("BOLT", "NUT", "PIPE", "VALVE", "LOOSE")
VISITOR = guest({"catalog.product.view", PRICES})


@dataclass
class Shop:
    """A shop; ACME with its daughter, and OTHER, which is in the segment gold; a buyer of each."""

    app: Flask
    acme: Company
    daughter: Company
    other: Company
    buyers: dict[str, Actor]

    @contextmanager
    def request(self, who: str | Actor = "acme") -> Iterator[None]:
        """Act as the buyer of a company (or as somebody else) within a request."""
        actor = self.buyers[who] if isinstance(who, str) else who
        with self.app.app_context(), self.app.test_request_context("/"), acting(actor):
            yield

    def make(self, code: str, mode: str, *names: str, audience: str = "company", **values: Any) -> Assortment:
        """Make an active assortment of products and *categories, for ACME where nothing else is said."""
        ids: dict[str, Any] = {"company_id": None, "segment_id": None, "country": ""}
        if audience == "company":
            ids["company_id"] = self.acme.id
        with self.request(system("tests")):
            if audience == "segment":
                ids["segment_id"] = segment_by_code("gold").id
            given = {
                "code": code, "name": f"Assortment {code}", "audience": audience, "mode": mode, "status": "active",
                "valid_from": BEGINNING, "valid_until": None, "note": "", **ids, **values,
            }  # fmt: skip
            made = editing.save(None, given)
            if names:
                lines = editing.paste(made, "\n".join(names))
                assert {line.outcome for line in lines} <= {"created"}, lines
            return made

    def change(self, code: str, **values: Any) -> None:
        """Change columns of an assortment."""
        with self.request(system("tests")), write() as session:
            found = editing.by_code(code)
            for name, value in values.items():
                setattr(found, name, value)
            session.flush()

    def seen(self, who: str | Actor = "acme") -> str:
        """Return the SKUs that somebody's list shows."""
        with self.request(who):
            ids = listing.run(Selection()).ids
            skus = dict(db.session.execute(select(Product.id, Product.sku).where(Product.id.in_(ids))).all())
            return " ".join(sku for sku in SKUS if sku in skus.values())


def buyer_of(company: Company, email: str) -> Actor:
    """Return a new buyer of a company, who stands below its parent."""
    user, own = factories.make_user(email, company=company, roles=["orderer", "company_admin"]), (company.id,)
    above = (company.id, *([company.parent_id] if company.parent_id else []))
    rights = permissions_of(["orderer", "company_admin"])
    return Actor(user.id, user.name, Scope("companies", own, own, above), company.id, None, rights)


@pytest.fixture
def shop(app_with: Callable[..., Flask]) -> Shop:
    """BOLT and NUT lie in fasteners/screws and fasteners/nuts, PIPE and VALVE in piping, LOOSE in no category."""
    app = app_with(addons=["assortments"])
    acme, other = factories.make_company("acme"), factories.make_company("other", segments=["gold"])
    daughter = factories.make_company("daughter", parent=acme)
    for code, parent in (("screws", "fasteners"), ("nuts", "fasteners")):
        factories.make_category(code, parent=factories.make_category(parent))
    factories.make_category("piping")
    made = [
        factories.make_product(sku, price="2.50", name=f"Thing {sku.lower()}", category=category)
        for sku, category in zip(SKUS, ("screws", "nuts", "piping", "piping", "piping"), strict=True)
    ]
    with app.app_context(), acting(system("tests")), write() as session:
        session.execute(update(Product).where(Product.sku == "LOOSE").values(category_id=None))
        reindex([product.id for product in made])
    buyers = {
        "acme": buyer_of(acme, "anna@acme.example"),
        "daughter": buyer_of(daughter, "dora@acme.example"),
        "other": buyer_of(other, "otto@other.example"),
    }
    return Shop(app, acme, daughter, other, buyers)
