"""Cart and order are one document; holds stop it, movements record what happened to its lines."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.data.db import db
from core.data.scope import Subtree
from core.data.types import Amount, Json, Price, Quantity
from core.i18n.titles import in_words_of
from core.spec.orders import FREE

STATES = ("cart", "submitted", "confirmed", "completed", "cancelled", "rejected")


class Order(db.Model):
    """A cart (state ``cart``) or an order; amounts are stored, in ``currency``, so that SQL never multiplies."""

    __tablename__ = "orders_order"
    __scope__ = Subtree()
    __table_args__ = (
        CheckConstraint(f"state in {STATES!r}", name="state"),
        UniqueConstraint("number"),
        UniqueConstraint("company_id", "client_reference"),
        # one open, unnamed cart for a person in a company
        Index(
            "uq_orders_order_cart",
            "company_id",
            "user_id",
            unique=True,
            sqlite_where=text("state = 'cart' and cart_name = ''"),
            postgresql_where=text("state = 'cart' and cart_name = ''"),
        ),
        Index("ix_orders_order_company_submitted", "company_id", "submitted_at"),
        Index("ix_orders_order_state_submitted", "state", "submitted_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    seller_id: Mapped[int] = mapped_column(ForeignKey("companies_seller.id", ondelete="RESTRICT"))
    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id", ondelete="RESTRICT"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_user.id", ondelete="SET NULL"), index=True)
    user_name: Mapped[str] = mapped_column(String(200), default="")
    #: The member of staff who placed it for the buyer, if any.
    placed_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_user.id", ondelete="SET NULL"))
    placed_by_name: Mapped[str] = mapped_column(String(200), default="")
    state: Mapped[str] = mapped_column(String(20), default="cart")
    cart_name: Mapped[str] = mapped_column(String(100), default="")
    #: Given at submit; gaps are allowed.
    number: Mapped[str | None] = mapped_column(String(30))
    #: The client's idempotency key; the same key places nothing twice.
    client_reference: Mapped[str | None] = mapped_column(String(80))
    po_number: Mapped[str] = mapped_column(String(60), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    currency: Mapped[str] = mapped_column(String(3))
    #: line: net of a line is rounded to the minor unit; exact: an imported document keeps its source's amounts.
    rounding: Mapped[str] = mapped_column(String(10), default="line")
    #: Of the lines; gross = net + charges_net + tax.
    net: Mapped[Decimal] = mapped_column(Amount, default=Decimal(0))
    #: Of freight and other charges, whose rows are ``OrderCharge``.
    charges_net: Mapped[Decimal] = mapped_column(Amount, default=Decimal(0), server_default="0")
    tax: Mapped[Decimal] = mapped_column(Amount, default=Decimal(0))
    gross: Mapped[Decimal] = mapped_column(Amount, default=Decimal(0))
    #: VAT per category: [{category, code, rate, base, tax}] as strings.
    tax_lines: Mapped[list[dict[str, str]]] = mapped_column(Json, default=list)
    ship_to_id: Mapped[int | None] = mapped_column(ForeignKey("companies_address.id", ondelete="SET NULL"))
    bill_to_id: Mapped[int | None] = mapped_column(ForeignKey("companies_address.id", ondelete="SET NULL"))
    #: Snapshots of the addresses at submit.
    ship_to: Mapped[dict[str, Any] | None] = mapped_column(Json)
    bill_to: Mapped[dict[str, Any] | None] = mapped_column(Json)
    wished_date: Mapped[date | None]
    locale: Mapped[str] = mapped_column(String(10), default="en")
    #: An order without an account: the secret of its page, and whom to write to.
    guest_key: Mapped[str | None] = mapped_column(String(64), unique=True)
    guest_email: Mapped[str] = mapped_column(String(255), default="", server_default="")
    guest_phone: Mapped[str] = mapped_column(String(50), default="", server_default="")
    #: (addon, check) pairs that ran at submit.
    required_checks: Mapped[list[list[str]]] = mapped_column(Json, default=list)
    generation: Mapped[int | None]
    #: SHA-256 of the canonical content; what is approved is what is placed.
    digest: Mapped[str] = mapped_column(String(64), default="")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    price_hold_until: Mapped[datetime | None]
    source: Mapped[str] = mapped_column(String(40), default="")
    external_id: Mapped[str] = mapped_column(String(80), default="")
    extra: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    version: Mapped[int] = mapped_column(default=1)

    lines: Mapped[list[OrderLine]] = relationship(
        back_populates="order", cascade="all, delete-orphan", order_by="OrderLine.position"
    )
    holds: Mapped[list[Hold]] = relationship(cascade="all, delete-orphan", order_by="Hold.id")

    __mapper_args__ = {"version_id_col": version}

    @property
    def without_tax(self) -> Decimal:
        """Lines and charges, without tax."""
        return self.net + self.charges_net


class OrderLine(db.Model):
    """A line; product + unit + configuration + split_key is its identity when carts are merged."""

    __tablename__ = "orders_line"
    __scope__ = Subtree()
    __table_args__ = (
        UniqueConstraint("order_id", "position"),
        CheckConstraint("quantity > 0", name="quantity"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders_order.id", ondelete="CASCADE"))
    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id", ondelete="RESTRICT"), index=True)
    position: Mapped[int]
    product_id: Mapped[int | None] = mapped_column(ForeignKey("catalog_product.id", ondelete="SET NULL"), index=True)
    unit: Mapped[str] = mapped_column(String(20))
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    base_quantity: Mapped[Decimal] = mapped_column(Quantity)
    configuration: Mapped[str] = mapped_column(String(64), default="")
    split_key: Mapped[str] = mapped_column(String(64), default="")
    #: Snapshots, so that the document reads the same for ever.
    sku: Mapped[str] = mapped_column(String(80))
    name: Mapped[str] = mapped_column(String(250))
    #: None while there is no price ("ask for a quote").
    unit_price: Mapped[Decimal | None] = mapped_column(Price)
    per: Mapped[Decimal] = mapped_column(Quantity, default=Decimal(1))
    list_price: Mapped[Decimal | None] = mapped_column(Price)
    net: Mapped[Decimal | None] = mapped_column(Amount)
    tax_category: Mapped[str] = mapped_column(String(20), default="")
    tax_rate: Mapped[Decimal | None] = mapped_column(Price)
    price_source: Mapped[str] = mapped_column(String(120), default="")
    #: Why it cost that, as the buyer read it when it was ordered, in the language of the order.
    price_reason: Mapped[str] = mapped_column(String(250), default="")
    trace_digest: Mapped[str] = mapped_column(String(64), default="")
    #: The parts of which the price is made where each has its own (core.pricing.bands); ``unit_price`` is their sum then.
    bands: Mapped[list[dict[str, str]] | None] = mapped_column(Json)
    #: What staff agreed by hand (core.pricing.manual), with the price ``before``; it holds where it is the price's source.
    manual: Mapped[dict[str, Any] | None] = mapped_column(Json)
    note: Mapped[str] = mapped_column(Text, default="")
    customer_reference: Mapped[str] = mapped_column(String(80), default="")
    extra: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)

    order: Mapped[Order] = relationship(back_populates="lines")

    @hybrid_property
    def free(self) -> bool:
        """True for goods that came with what was ordered, for nothing; ``price_source`` says who gave them."""
        return self.price_source.startswith(FREE)


class OrderCharge(db.Model):
    """Freight or another charge of a document; a charge on goods of several tax categories has a row for each."""

    __tablename__ = "orders_charge"
    __scope__ = Subtree()

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders_order.id", ondelete="CASCADE"), index=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id", ondelete="RESTRICT"))
    #: Name of the domain or addon whose charge it is.
    owner: Mapped[str] = mapped_column(String(40))
    code: Mapped[str] = mapped_column(String(40))
    #: As the buyer read it; core's own are named in the reader's language (core.orders.charges.label_of).
    label: Mapped[str] = mapped_column(String(120))
    net: Mapped[Decimal] = mapped_column(Amount)
    tax_category: Mapped[str] = mapped_column(String(20), default="")
    tax_rate: Mapped[Decimal | None] = mapped_column(Price)


class Hold(db.Model):
    """The one way to stop an order without losing it; released by its owner, or by force with a reason."""

    __tablename__ = "orders_hold"
    __scope__ = Subtree()

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders_order.id", ondelete="CASCADE"), index=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id", ondelete="RESTRICT"))
    #: Name of the addon, or "core".
    owner: Mapped[str] = mapped_column(String(40))
    code: Mapped[str] = mapped_column(String(40))
    label: Mapped[str] = mapped_column(String(200))
    #: Some of confirm, ship, invoice.
    blocks: Mapped[list[str]] = mapped_column(Json)
    since: Mapped[datetime]
    release_permission: Mapped[str] = mapped_column(String(80))
    released_at: Mapped[datetime | None]
    released_by: Mapped[str] = mapped_column(String(200), default="")
    release_reason: Mapped[str] = mapped_column(Text, default="")

    @property
    def told(self) -> str:
        """Why the order is held, in the reader's language."""
        return in_words_of(self.owner, self.label)


class Movement(db.Model):
    """What happened to a line: shipped, delivered, invoiced, credited, cancelled, returned. Append-only."""

    __tablename__ = "orders_movement"
    __scope__ = Subtree()
    __table_args__ = (CheckConstraint("quantity > 0", name="quantity"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    line_id: Mapped[int] = mapped_column(ForeignKey("orders_line.id", ondelete="CASCADE"), index=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies_company.id", ondelete="RESTRICT"))
    kind: Mapped[str] = mapped_column(String(20))
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    at: Mapped[datetime]
    document_owner: Mapped[str] = mapped_column(String(40), default="core")
    document_label: Mapped[str] = mapped_column(String(80), default="")


class NumberSeries(db.Model):
    """The next number of a kind of document of a seller; orders may leave gaps."""

    __tablename__ = "orders_number_series"

    seller_id: Mapped[int] = mapped_column(ForeignKey("companies_seller.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    prefix: Mapped[str] = mapped_column(String(20), default="")
    next_value: Mapped[int] = mapped_column(default=1)
