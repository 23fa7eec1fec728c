"""The order confirmation: its content in the buyer's language, its PDF, and the mail that carries it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale

from core.companies.models import Seller
from core.companies.services import seller
from core.data.db import db
from core.i18n import _, current_locale, speaking
from core.orders import charges, queries
from core.orders.manual import agreed, bands_of
from core.orders.models import Order, OrderLine
from core.orders.typeset import compile_pdf
from core.pricing.tax import note_of
from core.registry.registry import registry
from core.settings.services import get
from core.spec.documents import DocumentRequest, DocumentSection
from core.ui.formats import day, money, per_unit, percent, price, qty

TEMPLATE = Path(__file__).parent / "typst" / "confirmation.typ"
PDF = "application/pdf"


@dataclass(frozen=True, slots=True)
class Document:
    """A file to download or to attach."""

    name: str
    type: str
    content: bytes


def confirmation(order: Order) -> Document:
    """Return the confirmation of a placed order as PDF, in the language of the order; never inside ``write()``."""
    lines = queries.lines_of(order.id)
    with speaking(order.locale):
        name = _("Order-confirmation-%(number)s.pdf", number=order.number)
        data = content(order, lines, seller())
    at = order.confirmed_at or order.submitted_at or order.created_at
    db.session.rollback()  # the read is over: no transaction stays open while the document is set
    return Document(name, PDF, compile_pdf(TEMPLATE, data, at=at))


def content(order: Order, lines: Sequence[OrderLine], merchant: Seller) -> dict[str, Any]:
    """Return everything that the document says, translated and formatted for the current language."""
    cur = order.currency
    confirmed = order.state in ("confirmed", "completed")
    taxes = tax_rows(order)
    return {
        "lang": order.locale,
        "title": _("Order confirmation") if confirmed else _("Order"),
        "number": order.number,
        "seller": {"name": merchant.name, "footer": " · ".join(_imprint(merchant))},
        "labels": {
            "bill_to": _("Bill to"),
            "ship_to": _("Deliver to"),
            "note": _("Note"),
            "total": _("Total with tax"),
            "page": _("Page"),
            "closing": _("Thank you for your order.")
            if confirmed
            else _("The order has been received; it is not confirmed yet."),
        },
        "bill_to": address_lines(order.bill_to, merchant.country),
        "ship_to": address_lines(order.ship_to, merchant.country),
        "facts": [[label, value] for label, value in _facts(order, merchant.zone) if value],
        "note": order.note,
        "columns": [_("Line"), _("Code"), _("Article"), _("Quantity"), _("Price"), _("Net")],
        "lines": [_line(line, cur) for line in lines],
        "totals": [
            *charge_rows(order, charges.rows_of(order.id)),
            [_("Total without tax"), money(order.without_tax, cur)],
            *([row["label"], row["amount"]] for row in taxes),
        ],
        "gross": money(order.gross, cur),
        "sections": [
            {"title": section.title, "paragraphs": section.text.split("\n"), "rows": [list(row) for row in section.rows]}
            for section in sections_of(order)
        ],
        "tax_notes": sorted({row["note"] for row in taxes if row["note"]}),
    }


def sections_of(order: Order) -> list[DocumentSection]:
    """Return what domains and addons add below the sums, in order; a document is refused where one of them fails."""
    request = DocumentRequest(
        "confirmation", order.id, order.number or "", order.company_id, order.currency, current_locale()
    )
    found = [section for _owner, sections in registry().batch("document_sections", request=request) for section in sections]
    return sorted(found, key=lambda section: section.order)


def own_sections(request: DocumentRequest) -> Iterator[DocumentSection]:
    """Yield the merchant's own words on the confirmation, which may differ by segment and company."""
    text = str(get("orders", "confirmation_text", company=request.company_id)).strip()
    if text:
        yield DocumentSection(_("Terms"), text, order=900)


def address_lines(address: Mapping[str, Any] | None, home: str = "") -> list[str]:
    """Return a snapshot of an address as lines; the country only where it is not ``home``."""
    if not address:
        return []
    place = " ".join(part for part in (address.get("postal_code"), address.get("city")) if part)
    country = "" if address.get("country") == home else country_name(str(address.get("country") or ""))
    parts = [
        address.get("name"),
        address.get("contact"),
        address.get("street"),
        address.get("street2"),
        place,
        address.get("region"),
        country,
    ]
    return [str(part) for part in dict.fromkeys(parts) if part]


def country_name(code: str) -> str:
    """Return the name of a country in the current language."""
    return Locale.parse(current_locale()).territories.get(code, code)


def charge_rows(order: Order, rows: Sequence[Any]) -> list[list[str]]:
    """Return the goods and each charge, label and amount; nothing where there are no charges."""
    if not rows:
        return []
    return [
        [_("Articles"), money(order.net, order.currency)],
        *([charges.label_of(row), money(row.net, order.currency)] for row in rows),
    ]


def tax_rows(order: Order) -> list[dict[str, str]]:
    """Return the tax of an order, a row per category: label, amount, and the reason for no tax in the reader's language."""
    rows, home = [], seller().country
    for line in order.tax_lines or ():
        label = _(
            "VAT %(rate)s on %(base)s",
            rate=percent(Decimal(line["rate"])),
            base=money(Decimal(line["base"]), order.currency),
        )
        note = note_of(line["category"], home) or str(line.get("note") or "")
        rows.append({"label": label, "amount": money(Decimal(line["tax"]), order.currency), "note": note})
    return rows


def _facts(order: Order, zone: str) -> list[tuple[str, str]]:
    by = order.user_name
    if order.placed_by_name:
        by = _("%(buyer)s, entered by %(staff)s", buyer=order.user_name, staff=order.placed_by_name)
    return [
        (_("Order date"), day(order.submitted_at.astimezone(ZoneInfo(zone)).date()) if order.submitted_at else ""),
        (_("Your order number"), order.po_number),
        (_("Wished delivery"), day(order.wished_date)),
        (_("Ordered by"), by),
    ]


def _line(line: OrderLine, currency: str) -> dict[str, str]:
    by_hand = agreed(line, currency)
    terms = "" if by_hand is None else str(by_hand.text)
    if by_hand is not None and by_hand.before is not None:
        terms = _("%(terms)s (before: %(price)s)", terms=terms, price=price(by_hand.before, currency))
    made = bands_of(line, currency)
    why = line.price_reason if line.free else ""
    extra = " · ".join(part for part in (line.customer_reference, line.note, terms, made, why) if part)
    return {
        "position": str(line.position),
        "sku": line.sku,
        "name": line.name,
        "extra": extra,
        "quantity": qty(line.quantity, line.unit),
        "price": _price(line, currency),
        "per": "" if line.per == 1 else _("per %(quantity)s", quantity=per_unit(line.per, line.unit)),
        "net": money(line.net, currency) if line.net is not None else "–",
    }


def _price(line: OrderLine, currency: str) -> str:
    if line.free:
        return _("Free of charge")
    return "–" if line.unit_price is None else price(line.unit_price, currency)


def _imprint(merchant: Seller) -> list[str]:
    place = " ".join(part for part in (merchant.postal_code, merchant.city) if part)
    ids = [
        _("Business ID %(id)s", id=merchant.business_id) if merchant.business_id else "",
        _("VAT number %(id)s", id=merchant.vat_id) if merchant.vat_id else "",
    ]
    parts = [merchant.name, merchant.street, place, *ids, merchant.email, merchant.phone]
    return [part for part in parts if part]
