"""Core's own checkout rules, contributed through the hook that addons use."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from zoneinfo import ZoneInfo

from flask import has_request_context
from sqlalchemy import select

from core.companies.models import Company
from core.companies.services import seller
from core.data import clock
from core.data.db import db
from core.i18n import _
from core.orders import articles
from core.orders.articles import Article
from core.orders.draft import Wanted, check_quantities
from core.orders.models import Order
from core.pricing import currency as rates
from core.pricing.money import round_money
from core.settings.services import get
from core.spec.orders import CheckoutRule, DraftLine, Finding, OrderDraft, Stage
from core.ui.formats import day, money
from core.ui.links import optional_url


def not_empty(draft: OrderDraft) -> Sequence[Finding]:
    """An order has at least one line."""
    if draft.lines:
        return ()
    return (
        Finding("CART-EMPTY", "block", _("Your cart is empty."), remedy=_("Find articles"), remedy_url=_url("catalog.home")),
    )


def products(draft: OrderDraft) -> Sequence[Finding]:
    """Every product is still sold, to this company, in this unit."""
    known = articles.by_id(line.product_id for line in draft.lines)
    return tuple(found for line in draft.lines if (found := _product(line, known.get(line.product_id or 0))))


def products_still_sold(draft: OrderDraft) -> Sequence[Finding]:
    """Nothing was blocked or discontinued between placing and confirming."""
    lines = (*draft.lines, *draft.free)
    known = articles.by_id(line.product_id for line in lines)
    return tuple(
        Finding("PRODUCT-NOT-SOLD", "block", article.refusal, (line.key,))
        for line in lines
        if (article := known.get(line.product_id or 0)) and article.status == "blocked"
    )


def quantities(draft: OrderDraft) -> Sequence[Finding]:
    """Every quantity is one that the product is sold in."""
    known = articles.by_id(line.product_id for line in draft.lines)
    wanted = [Wanted(line.key, line.product_id, line.unit, line.quantity) for line in draft.lines]
    units = {line.key: known[line.product_id].unit(line.unit) for line in draft.lines if line.product_id in known}
    checks = check_quantities(wanted, units)
    return tuple(
        Finding(
            "QUANTITY", "block", f"{line.sku}: {checks[line.key].reason}", (line.key,), *_to_cart(_("Change the quantity"))
        )
        for line in draft.lines
        if line.key in checks and not checks[line.key].ok
    )


def prices(draft: OrderDraft) -> Sequence[Finding]:
    """Every line has a price; without one the buyer asks for a quote, nothing is given away."""
    return tuple(
        Finding(
            "NO-PRICE",
            "block",
            _(
                "%(sku)s has no price for you in %(unit)s; ask us for a quote or remove the line.",
                sku=line.sku,
                unit=line.unit,
            ),
            (line.key,),
            *_to_cart(_("Go to the line")),
        )
        for line in draft.lines
        if line.unit_price is None
    )


def minimum_value(draft: OrderDraft) -> Sequence[Finding]:
    """The order is worth the least that the merchant delivers for (in the seller's currency)."""
    least: Decimal = get("orders", "minimum_order_value", company=draft.company_id)
    if not least or not draft.lines:
        return ()
    own = seller()
    factor = rates.rate(own.currency, draft.currency, clock.today(own.zone))
    wanted = round_money(least * factor, draft.currency)
    if draft.net >= wanted:
        return ()
    missing = money(wanted - draft.net, draft.currency)
    text = _(
        "An order is worth at least %(least)s without tax; %(missing)s are missing.",
        least=money(wanted, draft.currency),
        missing=missing,
    )
    return (Finding("MINIMUM-VALUE", "block", text, remedy=_("Find more articles"), remedy_url=_url("catalog.home")),)


def company_may_order(draft: OrderDraft) -> Sequence[Finding]:
    """The company is not blocked; what was the reason is said by people, not here."""
    company = db.session.get(Company, draft.company_id)  # known to a page, and locked with its row read where it counts
    if company is not None and company.status == "active":
        return ()
    return (
        Finding(
            "COMPANY-BLOCKED",
            "block",
            _("Your company cannot order at present. Please contact our sales; your cart is kept."),
        ),
    )


def addresses_given(draft: OrderDraft) -> Sequence[Finding]:
    """There is somewhere to deliver to and somebody to bill."""
    found = []
    if draft.ship_to_id is None:
        found.append(_missing("SHIP-TO-MISSING", _("Choose the address to which we deliver.")))
    if draft.bill_to_id is None:
        found.append(_missing("BILL-TO-MISSING", _("Choose the address to which we send the invoice.")))
    return found


def prices_still_held(draft: OrderDraft) -> Sequence[Finding]:
    """The prices of the order still hold; staff are told where they do not, and decide."""
    until = db.session.scalar(select(Order.price_hold_until).where(Order.id == draft.order_id))
    if until is None or until > clock.now():
        return ()
    return (
        Finding(
            "PRICES-NO-LONGER-HELD",
            "warning",
            _("The prices of this order held until %(day)s.", day=day(until.astimezone(ZoneInfo(seller().zone)).date())),
        ),
    )


def po_number(draft: OrderDraft) -> Sequence[Finding]:
    """There is a purchase order number where the company's orders need one."""
    if draft.po_number or not get("orders", "po_number_required", company=draft.company_id):
        return ()
    return (Finding("PO-NUMBER-MISSING", "block", _("Enter your purchase order number; your orders need one.")),)


def wished_date(draft: OrderDraft) -> Sequence[Finding]:
    """The day for which the goods are wished is still to come."""
    if draft.wished_date is None or draft.wished_date >= clock.today(seller().zone):
        return ()
    text = _(
        "The wished delivery date, %(day)s, has passed; choose a later one or leave it empty.", day=day(draft.wished_date)
    )
    return (Finding("WISHED-DATE-PAST", "block", text),)


RULES = (
    CheckoutRule("not_empty", Stage.SUBMIT, not_empty, order=10),
    CheckoutRule("company_may_order", Stage.CART, company_may_order, order=20),
    CheckoutRule("company_may_order", Stage.SUBMIT, company_may_order, order=20),
    CheckoutRule("company_may_order", Stage.COMMIT, company_may_order, order=20),
    CheckoutRule("products", Stage.CART, products, order=30),
    CheckoutRule("products", Stage.SUBMIT, products, order=30),
    CheckoutRule("products_still_sold", Stage.COMMIT, products_still_sold, order=30),
    CheckoutRule("quantities", Stage.CART, quantities, order=40),
    CheckoutRule("quantities", Stage.SUBMIT, quantities, order=40),
    CheckoutRule("prices", Stage.CART, prices, order=50),
    CheckoutRule("prices", Stage.SUBMIT, prices, order=50),
    CheckoutRule("minimum_value", Stage.CART, minimum_value, order=60),
    CheckoutRule("minimum_value", Stage.SUBMIT, minimum_value, order=60),
    CheckoutRule("prices_still_held", Stage.COMMIT, prices_still_held, order=50),
    CheckoutRule("addresses", Stage.SUBMIT, addresses_given, order=70),
    CheckoutRule("po_number", Stage.SUBMIT, po_number, order=80),
    CheckoutRule("wished_date", Stage.SUBMIT, wished_date, order=90),
)


def _product(line: DraftLine, article: Article | None) -> Finding | None:
    if article is None:
        text = _("%(sku)s does not exist any more; remove the line.", sku=line.sku)
        return Finding("PRODUCT-GONE", "block", text, (line.key,), *_to_cart(_("Go to the line")))
    if article.availability != "ok":
        replace = article.successor and _url("catalog.product", sku=article.successor)
        remedy = (_("See %(successor)s", successor=article.successor), replace) if replace else _to_cart(_("Go to the line"))
        return Finding("PRODUCT-NOT-SOLD", "block", article.refusal, (line.key,), *remedy)
    if article.unit(line.unit) is None:
        text = _(
            "%(sku)s is not sold in %(unit)s any more; order it in %(units)s.",
            sku=line.sku,
            unit=line.unit,
            units=", ".join(article.units),
        )
        return Finding("UNIT-NOT-SOLD", "block", text, (line.key,), *_to_cart(_("Go to the line")))
    return None


def _missing(code: str, text: str) -> Finding:
    return Finding(code, "block", text, remedy=_("Addresses of your company"), remedy_url=_url("companies.addresses"))


def _to_cart(label: str) -> tuple[str, str]:
    return label, _url("orders.cart")


def _url(endpoint: str, **values: str) -> str:
    """Return the address of a page for the remedy; '' where nobody could open it (a job, an addon that is off)."""
    return (optional_url(endpoint, **values) or "") if has_request_context() else ""
