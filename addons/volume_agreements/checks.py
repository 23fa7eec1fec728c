"""Whether ledger and orders agree, what the set-up of agreements lacks, and how they stand right now."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import click
from sqlalchemy import Select, func, or_, select

from core.api.catalog import Product
from core.api.companies import lock_company
from core.api.data import audit, clock, db, write
from core.api.hooks import Command, ConfigCheck, ConfigFinding, DataCheck, HealthCheck, Impact
from core.api.i18n import translations
from core.api.orders import Order, OrderLine

from . import engine, ledger
from .ledger import Difference
from .models import Agreement, Entry
from .standing import standings

_, _l, ngettext, _p = translations(__name__)
OWNER = "volume_agreements"
BATCH, SHOWN = 500, 5
#: How far back the check of the set-up looks, which is shown on a page; the command looks at everything.
RECENT = timedelta(days=35)


def wrong(*, recent: bool = False) -> Iterator[Difference]:
    """Yield where the ledger says something else than an order; batches of orders, however many there are."""
    last = 0
    drawing = select(OrderLine.order_id).where(OrderLine.price_source.startswith(engine.PREFIX))
    concerned = or_(Order.id.in_(drawing), Order.id.in_(select(Entry.order_id)))
    query = select(Order.id).where(Order.state != "cart", concerned).order_by(Order.id).limit(BATCH)
    if recent:
        query = query.where(Order.updated_at >= clock.now() - RECENT)
    while ids := list(db.session.scalars(query.where(Order.id > last))):
        yield from ledger.differences(ids)
        last = ids[-1]


def mend() -> int:
    """Add what is missing in the ledger, each order in a transaction of its own with its company locked; return how many."""
    orders = {d.order_id: (d.number, d.company_id) for d in list(wrong())}
    for order_id, (number, company_id) in orders.items():
        with write():
            lock_company(company_id)
            ledger.post([order_id])
            audit.record("order", number, "volume ledger mended", company_id=company_id, addon=OWNER)
    return len(orders)


def ledger_agrees() -> Iterator[ConfigFinding]:
    """Find orders of the last weeks with which the ledger does not agree."""
    found = list(wrong(recent=True))
    if found:
        text = ngettext(
            "The ledger of volume agreements does not agree with %(count)s order (%(numbers)s); "
            "`tukku volume_agreements ledger --mend` adds what is missing.",
            "The ledger of volume agreements does not agree with %(count)s orders (%(numbers)s); "
            "`tukku volume_agreements ledger --mend` adds what is missing.",
            len({d.order_id for d in found}),
            numbers=", ".join(dict.fromkeys(d.number for d in found[:SHOWN])),
        )
        yield ConfigFinding("VOLUME-LEDGER", "error", text)


def units_fit() -> Iterator[ConfigFinding]:
    """Find agreements whose article is counted in another unit by now: they match nothing."""
    query = (
        select(Agreement.code)
        .join(Product, Product.id == Agreement.product_id)
        .where(Agreement.status == "active", Agreement.unit != Product.base_unit)
        .order_by(Agreement.code)
        .limit(SHOWN)
    )
    for code in db.session.scalars(query):
        text = _(
            "The article of the agreement %(code)s has another base unit by now: the agreement gives no price.", code=code
        )
        yield ConfigFinding(
            "VOLUME-UNIT", "error", text, _("Open the agreement"), "volume_agreements_admin.agreement", {"code": code}
        )


def health() -> Iterator[HealthCheck]:
    """Say how many agreements hold, and how many are behind schedule."""
    found = [one for one in standings(db.session.scalars(_active())) if one.state in ("active", "behind", "used_up")]
    behind = sum(1 for one in found if one.state == "behind")
    text = _("%(count)s in force, %(behind)s behind schedule", count=len(found), behind=behind)
    yield HealthCheck("agreements", _l("Volume agreements"), "ok", text)


def _active() -> Select[Any]:
    return select(Agreement).where(Agreement.status == "active")


def losses() -> Iterator[Impact]:
    """Say how many agreements stop giving their price."""
    count = db.session.scalar(select(func.count()).select_from(_active().subquery())) or 0
    if count:
        text = ngettext(
            "%(count)s volume agreement no longer gives its price, and orders no longer draw from it.",
            "%(count)s volume agreements no longer give their prices, and orders no longer draw from them.",
            count,
        )
        yield Impact(text, count, "warning")


@click.command("ledger")
@click.option("--mend", "mending", is_flag=True, help="Add to the ledger what is missing.")
def command(mending: bool) -> None:
    """Compare the ledger of agreements with all orders. Example: tukku volume_agreements ledger --mend

    Ends with 1 where they do not agree and nothing was mended.
    """
    if mending:
        count = mend()
        click.echo(f"Mended {count} order(s)." if count else "The ledger agrees with the orders.")
        return
    found = list(wrong())
    for d in found:
        click.echo(f"{d.number} line {d.position}: {d.reserved:+f} reserved, {d.committed:+f} committed are missing.")
    if found:
        raise SystemExit(1)
    click.echo("The ledger agrees with the orders.")


CHECKS = (
    ConfigCheck("ledger", _l("Ledger of volume agreements"), ledger_agrees),
    ConfigCheck("units", _l("Units of volume agreements"), units_fit),
)
COMMAND = Command(command)


SWEEPS = (
    DataCheck(
        "VOLUME-LEDGER", "The ledger of volume agreements says what the orders say.",
        lambda: dict.fromkeys(found.number for found in wrong()),
        "`tukku volume_agreements ledger --mend` adds what is missing.",
    ),
)  # fmt: skip
