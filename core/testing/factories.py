"""Make the records that tests stand on. Each function writes and commits (or joins an open ``write()`` block).

Values are plain and predictable: nothing random reaches an assertion.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.models import StaffRole, User
from core.catalog.folding import fold, fold_code, sort_code
from core.catalog.models import Category, Product, ProductText, ProductUnit
from core.companies.models import Address, Company, CompanySegment, Membership, Segment, Seller
from core.data import clock
from core.data.scope import acting, actor_or_none, system
from core.data.write import write
from core.orders.models import Order, OrderLine
from core.pricing.models import ListPrice, TaxRate

#: The password of every person made here.
PASSWORD = "correct horse battery"
#: What is stored of the second factor of staff made here; tests that use it enrol a real one.
SECOND_FACTOR = "a second factor"
#: Prices and tax rates made here are valid from this instant on.
EARLY = datetime(2020, 1, 1, tzinfo=UTC)
#: Where the merchant made here lives.
ZONE = "Europe/Helsinki"


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit in which a product is sold: 1 of it is ``numerator / denominator`` base units."""

    unit: str
    numerator: int = 1
    denominator: int = 1
    precision: int = 0
    minimum: Decimal = Decimal(1)
    step: Decimal = Decimal(1)
    price_from_base: bool = True


def today() -> date:
    """Return the business date of the merchant made here: for some hours of each day it is not that of UTC."""
    return clock.today(ZONE)


@contextmanager
def _writing() -> Iterator[Session]:
    """Write as the system; the session keeps its actor, and its objects, where that one may do everything."""
    actor = actor_or_none()
    unlimited = actor is not None and actor.scope.unlimited
    with nullcontext() if unlimited else acting(system("factory")):
        with write() as session:
            yield session
        if not unlimited:  # they leave the session now, so they are filled first
            for instance in session:
                session.refresh(instance)


def make_seller(**values: Any) -> Seller:
    """Return the merchant (made once): Finnish, in euros."""
    with _writing() as session:
        seller = session.scalar(select(Seller))
        if seller is None:
            defaults = {
                "code": "main", "name": "Tukku Oy", "business_id": "0112038-9", "vat_id": "FI01120389",
                "street": "Satamakatu 1", "postal_code": "00100", "city": "Helsinki", "country": "FI",
                "email": "sales@tukku.example", "zone": ZONE, "currency": "EUR", "locale": "en",
            }  # fmt: skip
            seller = Seller(**{**defaults, **values})
            session.add(seller)
            session.flush()
    return seller


def make_tax_rate(country: str = "FI", category: str = "standard", rate: str = "25.5") -> TaxRate:
    """Return a VAT rate in percent."""
    with _writing() as session:
        found = session.scalar(select(TaxRate).where(TaxRate.country == country, TaxRate.category == category))
        if found is None:
            found = TaxRate(country=country, category=category, rate=Decimal(rate), valid_from=EARLY.date())
            session.add(found)
    return found


def make_segment(code: str) -> Segment:
    """Return the segment with ``code`` (made once)."""
    with _writing() as session:
        segment = session.scalar(select(Segment).where(Segment.code == code))
        if segment is None:
            segment = Segment(code=code, name={"en": code})
            session.add(segment)
            session.flush()
    return segment


def make_company(
    code: str, *, parent: Company | None = None, segments: Iterable[str] = (), address: bool = True, **values: Any
) -> Company:
    """Return a new company, by default Finnish, in euros, with one address ``main`` for both uses."""
    with _writing() as session:
        defaults = {"name": f"Company {code}", "country": "FI", "currency": "EUR", "created_at": clock.now()}
        company = Company(code=code, parent_id=parent.id if parent else None, **{**defaults, **values})
        session.add(company)
        session.flush()
        if address:
            session.add(make_address_row(company))
        for segment in segments:
            session.add(CompanySegment(company_id=company.id, segment_id=make_segment(segment).id))
    return company


def make_address_row(company: Company, code: str = "main", **values: Any) -> Address:
    """Return an address of ``company``, not yet added to a session."""
    defaults = {
        "name": company.name, "street": "Tehtaankatu 1", "postal_code": "33100", "city": "Tampere",
        "country": company.country, "is_default": code == "main",
    }  # fmt: skip
    return Address(company_id=company.id, code=code, **{**defaults, **values})


def make_address(company: Company, code: str, **values: Any) -> Address:
    """Return a new address of ``company``."""
    with _writing() as session:
        address = make_address_row(company, code, **values)
        session.add(address)
    return address


def make_user(email: str, *, company: Company | None = None, roles: Sequence[str] = ("orderer",), **values: Any) -> User:
    """Return a new person with ``PASSWORD``, in ``company`` with ``roles`` if one is given."""
    with _writing() as session:
        defaults = {
            "name": email.split("@", maxsplit=1)[0], "password": password_hash(), "created_at": clock.now(),
            "confirmed_at": clock.now(), "fs_uniquifier": secrets.token_hex(16),
        }  # fmt: skip
        user = User(email=email, **{**defaults, **values})
        session.add(user)
        session.flush()
        if company is not None:
            make_membership(user, company, roles)
    return user


def make_membership(user: User, company: Company, roles: Sequence[str] = ("orderer",)) -> None:
    """Make ``user`` a member of ``company`` with ``roles``."""
    with _writing() as session:
        rows = [Membership(user_id=user.id, company_id=company.id, role=role, created_at=clock.now()) for role in roles]
        session.add_all(rows)


def make_staff(email: str, roles: Sequence[str] = ("admin",), **values: Any) -> User:
    """Return a new member of staff with ``PASSWORD`` and, as staff must have one, a second factor."""
    with _writing() as session:
        user = make_user(email, **{"tf_totp_secret": SECOND_FACTOR, **values})
        session.add_all([StaffRole(user_id=user.id, role=role) for role in roles])
    return user


def make_category(code: str, *, parent: Category | None = None) -> Category:
    """Return the category with ``code`` (made once)."""
    with _writing() as session:
        category = session.scalar(select(Category).where(Category.code == code))
        if category is None:
            path = f"{parent.path if parent else '/'}{code}/"
            category = Category(code=code, path=path, parent_id=parent.id if parent else None, name={"en": code})
            session.add(category)
            session.flush()
    return category


def make_product(
    sku: str,
    *,
    price: str | Decimal | None = "10",
    currency: str = "EUR",
    units: Sequence[Unit] = (Unit("pcs"),),
    name: str = "",
    category: str = "goods",
    per: str | Decimal = "1",
    **values: Any,
) -> Product:
    """Return a new product with a list ``price`` in its first unit (None: no price)."""
    with _writing() as session:
        at = clock.now()
        product = Product(
            sku=sku, sku_folded=fold_code(sku), sku_sort=sort_code(sku), base_unit=units[0].unit,
            category_id=make_category(category).id, created_at=at, updated_at=at, **values,
        )  # fmt: skip
        product.texts = [ProductText(locale="en", name=name or f"Product {sku}", name_folded=fold(name or f"Product {sku}"))]
        product.units = [_unit_row(unit, position) for position, unit in enumerate(units)]
        session.add(product)
        session.flush()
        if price is not None:
            make_list_price(product, price, currency=currency, per=per)
    return product


def make_list_price(
    product: Product,
    price: str | Decimal,
    *,
    currency: str = "EUR",
    unit: str = "",
    per: str | Decimal = "1",
    valid_from: datetime = EARLY,
    valid_until: datetime | None = None,
) -> ListPrice:
    """Return a list price of ``product``, net, for ``per`` units (of the base unit by default)."""
    with _writing() as session:
        row = ListPrice(
            product_id=product.id, unit=unit or product.base_unit, currency=currency, price=Decimal(price),
            per=Decimal(per), valid_from=valid_from, valid_until=valid_until,
        )  # fmt: skip
        session.add(row)
    return row


def make_order(
    company: Company, items: Sequence[tuple[Product, str | int]], *, number: str, user: User | None = None, **values: Any
) -> Order:
    """Return a submitted order of ``company`` for (product, quantity) items at 10 a piece, without tax."""
    with _writing() as session:
        at = clock.now()
        lines = [_line_row(company, item, position) for position, item in enumerate(items, 1)]
        net = sum((line.net or Decimal(0) for line in lines), Decimal(0))
        defaults = {
            "seller_id": make_seller().id, "company_id": company.id, "user_id": user.id if user else None,
            "user_name": user.name if user else "", "state": "submitted", "number": number, "currency": company.currency,
            "net": net, "gross": net, "created_at": at, "updated_at": at, "submitted_at": at,
        }  # fmt: skip
        order = Order(**{**defaults, **values})
        order.lines = lines
        session.add(order)
    return order


def _line_row(company: Company, item: tuple[Product, str | int], position: int) -> OrderLine:
    product, quantity = item[0], Decimal(item[1])
    return OrderLine(
        company_id=company.id, position=position, product_id=product.id, unit=product.base_unit, quantity=quantity,
        base_quantity=quantity, sku=product.sku, name=f"Product {product.sku}", unit_price=Decimal(10), net=quantity * 10,
        tax_category="zero", tax_rate=Decimal(0),
    )  # fmt: skip


def _unit_row(unit: Unit, position: int) -> ProductUnit:
    return ProductUnit(
        unit=unit.unit, numerator=unit.numerator, denominator=unit.denominator, precision=unit.precision,
        minimum=unit.minimum, step=unit.step, price_from_base=unit.price_from_base, position=position,
    )  # fmt: skip


@cache
def password_hash() -> str:
    """Return the stored form of `PASSWORD`: hashed once in a run, with parameters too weak for real use."""
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
