"""Contracts and price lists, and their rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, and_, or_, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.api.companies import Company, CompanySegment
from core.api.data import Json, Owned, Price, Quantity, Scope, Staff, db
from core.api.pricing import BEGINNING

AUDIENCES = ("company", "segment", "location", "public")
POLICIES = ("override", "best_of", "fallback")
#: What a quantity below the first break costs: no price, or the first break's for whole quantities, for fractions, for
#: fractions of one unit, or for any.
BELOW_FIRST = ("none", "whole", "fraction", "below_one", "any")
STATUSES = ("draft", "active", "ended")
#: Which day decides what holds: that of the order, or the wished delivery's where there is one.
DATE_BASES = ("order", "wished")
#: Which price a quantity above a break costs: all of it the break's, or only the units above the break.
BREAKS = ("whole", "progressive")
#: Which quantities a break looks at: the line's, those of the product, or of its family, on all lines of a document.
COUNTS = ("line", "product", "family")
#: Whether what was ordered before counts too: '' not, or since when.
PERIODS = ("", "month", "quarter", "year", "contract")
MEASURES = ("cost", "msrp")
KINDS = ("fixed", "percent", "amount_off", "cost_plus", "formula")


@dataclass(frozen=True, slots=True)
class ForBuyers(Owned):
    """Contracts of the company and its parents, of their segments, of its country, and for everybody; drafts of none.

    Buyers only read.

    ``through`` names the column that holds a contract's id, for what belongs to a contract.
    """

    writable: bool = False
    through: str = ""

    def ids(self, scope: Scope) -> tuple[int, ...]:
        """Return the companies whose own contracts are visible."""
        return scope.inherited

    def criterion(self, model: Any, scope: Scope) -> Any:
        """Return the condition; its queries stand for themselves, whatever tables the statement around them reads."""
        if self.through:
            readable = select(Contract.id).where(ForBuyers().criterion(Contract, scope)).correlate(None)
            return getattr(model, self.through).in_(readable)
        segments = select(CompanySegment.segment_id).where(CompanySegment.company_id.in_(scope.inherited))
        countries = select(Company.country).where(Company.id.in_(scope.own))
        return and_(
            model.status != "draft",
            or_(
                model.company_id.in_(scope.inherited),
                model.segment_id.in_(segments.correlate(None)),
                model.audience.in_(("location", "public")),
            ),
            or_(model.country == "", model.country.in_(countries.correlate(None))),
        )

    def shows(self, company_id: int | None, scope: Scope) -> bool:
        """Tell whether a row that came through the condition stays visible: one of no company is for several."""
        return bool(self.through) or company_id is None or company_id in scope.inherited


class Contract(db.Model):
    """A company's contract, or a price list of a segment, a country or everybody; valid in [valid_from, valid_until).

    ``priority``: among contracts of the same audience the larger is looked at first. ``currency`` '' is for lists of
    percents only, which hold in any currency.
    """

    __tablename__ = "pricing_contract_contract"
    __stamp__ = "contracts"
    __scope__ = ForBuyers()
    __table_args__ = (
        CheckConstraint(f"audience in {AUDIENCES!r}", name="audience"),
        CheckConstraint(f"merge_policy in {POLICIES!r}", name="merge_policy"),
        CheckConstraint(f"status in {STATUSES!r}", name="status"),
        CheckConstraint(f"date_basis in {DATE_BASES!r}", name="date_basis"),
        CheckConstraint(f"breaks in {BREAKS!r}", name="breaks"),
        CheckConstraint(f"counts in {COUNTS!r}", name="counts"),
        CheckConstraint(f"period in {PERIODS!r}", name="period"),
        CheckConstraint("period = '' or counts <> 'line'", name="counted"),
        CheckConstraint(f"below_first in {BELOW_FIRST!r}", name="below_first"),
        CheckConstraint("(audience = 'company') = (company_id is not null)", name="company"),
        CheckConstraint("(audience = 'segment') = (segment_id is not null)", name="segment"),
        CheckConstraint("audience <> 'location' or country <> ''", name="country"),
        Index("ix_pricing_contract_contract_audience", "audience", "status"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    audience: Mapped[str] = mapped_column(String(10))
    company_id: Mapped[int | None] = mapped_column(ForeignKey("companies_company.id", ondelete="CASCADE"), index=True)
    segment_id: Mapped[int | None] = mapped_column(ForeignKey("companies_segment.id", ondelete="CASCADE"), index=True)
    #: ISO country of the buyer: the audience ``location``, or a limit of another audience; '' is any country.
    country: Mapped[str] = mapped_column(String(2), default="")
    currency: Mapped[str] = mapped_column(String(3), default="")
    merge_policy: Mapped[str] = mapped_column(String(10), default="override")
    priority: Mapped[int] = mapped_column(default=0)
    valid_from: Mapped[datetime] = mapped_column(default=BEGINNING)
    valid_until: Mapped[datetime | None]
    status: Mapped[str] = mapped_column(String(10), default="active")
    #: Whether pages show the list price struck through beside the contract's.
    show_list: Mapped[bool] = mapped_column(default=False)
    #: Whether a larger quantity may cost more for each unit.
    allow_inverted: Mapped[bool] = mapped_column(default=False)
    below_first: Mapped[str] = mapped_column(String(10), default="none")
    #: Whether nothing follows: what has no price here and in what comes before has none, not even the list price.
    closes: Mapped[bool] = mapped_column(default=False)
    date_basis: Mapped[str] = mapped_column(String(10), default="order")
    breaks: Mapped[str] = mapped_column(String(11), default="whole")
    counts: Mapped[str] = mapped_column(String(10), default="line")
    period: Mapped[str] = mapped_column(String(10), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    prices: Mapped[list[ContractPrice]] = relationship(
        back_populates="contract", cascade="all, delete-orphan", passive_deletes=True
    )

    __mapper_args__ = {"version_id_col": version}


class ContractPrice(db.Model):
    """A row: what a product, a category or everything costs from ``min_quantity`` on, valid in [valid_from, valid_until).

    ``target`` is the product's id, minus the category's id, or 0 for everything: one number, so that one key finds
    a row whatever it was made for. The key is what people know a row by, and the table lies in its order.
    ``unit`` '' is any unit; its ``min_quantity`` then counts base units.
    ``value``: fixed, amount_off: money for ``per`` units; percent: percent off the list price; cost_plus: percent on cost.
    ``terms`` are the parameters of a formula: see formulas.py.
    """

    __tablename__ = "pricing_contract_price"
    __stamp__ = "contracts"
    __scope__ = ForBuyers("contract_id", through="contract_id")
    __table_args__ = (
        CheckConstraint(f"kind in {KINDS!r}", name="kind"),
        CheckConstraint("per > 0", name="per"),
        CheckConstraint("min_quantity >= 0", name="min_quantity"),
        CheckConstraint("product_id is null or category_id is null", name="target"),
        {"sqlite_with_rowid": False},
    )

    contract_id: Mapped[int] = mapped_column(
        ForeignKey("pricing_contract_contract.id", ondelete="CASCADE"), primary_key=True
    )
    target: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    unit: Mapped[str] = mapped_column(String(20), primary_key=True, default="")
    min_quantity: Mapped[Decimal] = mapped_column(Quantity, primary_key=True, default=Decimal(0))
    valid_from: Mapped[datetime] = mapped_column(primary_key=True, default=BEGINNING)
    valid_until: Mapped[datetime | None]
    kind: Mapped[str] = mapped_column(String(10), default="fixed")
    value: Mapped[Decimal] = mapped_column(Price)
    per: Mapped[Decimal] = mapped_column(Quantity, default=Decimal(1))
    terms: Mapped[dict[str, Any] | None] = mapped_column(Json)
    product_id: Mapped[int | None] = mapped_column(ForeignKey("catalog_product.id", ondelete="CASCADE"), index=True)
    category_id: Mapped[int | None] = mapped_column(ForeignKey("catalog_category.id", ondelete="CASCADE"), index=True)
    #: The deed (see history_models.py) that made the row what it is; no foreign key, so that files stay quick.
    deed_id: Mapped[int | None]

    contract: Mapped[Contract] = relationship(back_populates="prices")


class OrderLimit(db.Model):
    """How a product, a category's products or all of them may be ordered under a contract, stricter than the product says.

    ``minimum`` and ``step`` count in ``unit``, '' for the base unit; the minimum is converted for other units. ``packages``
    are the only units in which it may be ordered, where any are named.
    """

    __tablename__ = "pricing_contract_limit"
    __stamp__ = "contracts"
    __scope__ = ForBuyers("contract_id", through="contract_id")
    __table_args__ = (
        CheckConstraint("minimum is null or minimum > 0", name="minimum"),
        CheckConstraint("step is null or step > 0", name="step"),
        CheckConstraint("product_id is null or category_id is null", name="target"),
    )

    contract_id: Mapped[int] = mapped_column(
        ForeignKey("pricing_contract_contract.id", ondelete="CASCADE"), primary_key=True
    )
    target: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    unit: Mapped[str] = mapped_column(String(20), default="")
    minimum: Mapped[Decimal | None] = mapped_column(Quantity)
    step: Mapped[Decimal | None] = mapped_column(Quantity)
    packages: Mapped[list[str]] = mapped_column(Json, default=list)
    product_id: Mapped[int | None] = mapped_column(ForeignKey("catalog_product.id", ondelete="CASCADE"), index=True)
    category_id: Mapped[int | None] = mapped_column(ForeignKey("catalog_category.id", ondelete="CASCADE"), index=True)


class ProductValue(db.Model):
    """What a product is worth by another measure: its cost, or the maker's price, net for one base unit."""

    __tablename__ = "pricing_contract_value"
    __scope__ = Staff("product_id")
    __table_args__ = (
        CheckConstraint(f"kind in {MEASURES!r}", name="kind"),
        CheckConstraint("amount >= 0", name="amount"),
    )

    product_id: Mapped[int] = mapped_column(ForeignKey("catalog_product.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    currency: Mapped[str] = mapped_column(String(3))
    amount: Mapped[Decimal] = mapped_column(Price)


def target_of(product_id: int | None, category_id: int | None) -> int:
    """Return the number by which a row is found: a product, a category, or everything."""
    return product_id if product_id is not None else -category_id if category_id is not None else 0
