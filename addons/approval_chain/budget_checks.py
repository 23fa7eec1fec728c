"""Whether the ledger of budgets and the orders agree; what differs is mended by adding to the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import click
from sqlalchemy import or_, select

from core.api.companies import lock_company
from core.api.data import audit, clock, db, write
from core.api.hooks import Command, ConfigCheck, ConfigFinding, DataCheck
from core.api.i18n import translations
from core.api.orders import Hold, Order

from . import ledger
from .centre_models import LineCentre
from .flow_models import Approval, Version
from .ledger import Difference
from .ledger_models import Entry
from .services import CODE, OWNER

_, _l, ngettext, _p = translations(__name__)
BATCH, SHOWN = 500, 5
#: How far back the check of the set-up looks, which is shown on a page; the command looks at everything.
RECENT = timedelta(days=35)


def wrong(*, recent: bool = False) -> Iterator[Difference]:
    """Yield where the ledger says something else than an order; batches of orders, however many there are."""
    last = 0
    concerned = or_(
        Order.id.in_(select(LineCentre.order_id)), Order.id.in_(select(Entry.order_id))
    )  # fmt: skip
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
            audit.record("order", number, "budget ledger mended", company_id=company_id, addon="approval_chain")
    return len(orders)


def check() -> Iterator[ConfigFinding]:
    """Find orders of the last weeks with which the ledger does not agree."""
    found = list(wrong(recent=True))
    if found:
        numbers = ", ".join(dict.fromkeys(d.number for d in found[:SHOWN]))
        text = ngettext(
            "The ledger of budgets does not agree with %(count)s order (%(numbers)s); `tukku approval_chain ledger --mend` "
            "adds what is missing.",
            "The ledger of budgets does not agree with %(count)s orders (%(numbers)s); `tukku approval_chain ledger --mend` "
            "adds what is missing.",
            len({d.order_id for d in found}),
            numbers=numbers,
        )
        yield ConfigFinding("BUDGET-LEDGER", "error", text)


@click.command("ledger")
@click.option("--mend", "mending", is_flag=True, help="Add to the ledger what is missing.")
def command(mending: bool) -> None:
    """Compare the ledger of budgets with all orders. Example: tukku approval_chain ledger --mend

    Ends with 1 where they do not agree and nothing was mended.
    """
    if mending:
        count = mend()
        click.echo(f"Mended {count} order(s)." if count else "The ledger agrees with the orders.")
        return
    found = list(wrong())
    for d in found:
        click.echo(f"{d.number}: {d.reserved:+f} reserved, {d.committed:+f} committed {d.budget.currency} are missing.")
    if found:
        raise SystemExit(1)
    click.echo("The ledger agrees with the orders.")


def held_for_nobody() -> Iterator[str]:
    """Find orders that wait for an approval which there is not: nobody could give it."""
    asked = select(Approval.id).where(Approval.order_id == Order.id, Approval.state.in_(("waiting", "returned")))
    held = select(Order.number).join(Hold, Hold.order_id == Order.id).where(Hold.owner == OWNER, Hold.code == CODE)
    query = held.where(Hold.released_at.is_(None), Order.state == "submitted", ~asked.exists())
    yield from db.session.scalars(query.order_by(Order.id))


def decided_on_another() -> Iterator[str]:
    """Find orders that wait for an approval and are not what the people who approve are shown."""
    kept = select(Version.id).where(Version.approval_id == Approval.id, Version.digest == Order.digest)
    query = select(Order.number).join(Approval, Approval.order_id == Order.id).where(Approval.state == "waiting")
    yield from db.session.scalars(query.where(Order.state == "submitted", ~kept.exists()).order_by(Order.id))


SWEEPS = (
    DataCheck(
        "BUDGET-LEDGER", "The ledger of budgets says what the orders say.",
        lambda: dict.fromkeys(found.number for found in wrong()),
        "`tukku approval_chain ledger --mend` adds what is missing.",
    ),
    DataCheck(
        "APPROVAL-GONE", "An order that is held for an approval has one that waits.", held_for_nobody,
        "Release the hold by force with a reason, or reject the order, on its page.",
    ),
    DataCheck(
        "APPROVAL-VERSION", "What waits for approval was kept as it is now.", decided_on_another,
        "Let who ordered change a line and send the order again.",
    ),
)  # fmt: skip
CHECK = ConfigCheck("budget_ledger", _l("Ledger of budgets"), check)
COMMAND = Command(command)
