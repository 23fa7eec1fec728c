"""Whether the ledger agrees with orders and terms, what ended without a word, and how rebates are right now."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import click
from sqlalchemy import func, select

from core.api.companies import descendants, lock_company
from core.api.data import audit, clock, db, write
from core.api.hooks import Command, ConfigCheck, ConfigFinding, DataCheck, HealthCheck, Impact
from core.api.i18n import translations
from core.api.orders import Order

from . import ledger, settling
from .models import Rebate, Settlement

_, _l, ngettext, _p = translations(__name__)
OWNER = "rebates"
SHOWN = 5
#: How far back the check of the set-up looks, which is shown on a page; the command looks at everything.
RECENT = timedelta(days=35)


def _rebates() -> list[Rebate]:
    return list(db.session.scalars(select(Rebate).where(Rebate.status != "draft").order_by(Rebate.code)))


def wrong() -> Iterator[tuple[str, str]]:
    """Yield (rebate, what is wrong): lines that the ledger has otherwise, and periods whose entries do not add up."""
    for rebate in _rebates():
        for ids in ledger.orders_of(rebate):
            for d in ledger.differences([rebate], ids):
                yield (
                    rebate.code,
                    f"{d.number or d.order_id} line {d.position}: {d.net:+f} {rebate.currency}, {d.quantity:+f}",
                )
        for _same, first, amount in ledger.corrections([rebate]):
            yield rebate.code, f"period {first}: {amount:+f} {rebate.currency} accrued"


def mend() -> dict[str, int]:
    """Add what is missing, each rebate in a transaction of its own with its company locked; return entries by rebate."""
    done = {}
    for rebate in _rebates():
        with write() as session:
            lock_company(rebate.company_id)
            found = session.get(Rebate, rebate.id)
            count = ledger.post_all(found) if found is not None else 0
            if count:
                audit.record("rebate", rebate.code, "ledger mended", company_id=rebate.company_id, addon=OWNER)
                done[rebate.code] = count
    return done


def ledger_agrees() -> Iterator[ConfigFinding]:
    """Find rebates whose ledger does not agree with orders of the last weeks, or does not add up."""
    found = []
    for rebate in _rebates():
        recent = select(Order.id).where(
            Order.company_id.in_(descendants(rebate.company_id)), Order.state != "cart",
            Order.updated_at >= clock.now() - RECENT,
        )  # fmt: skip
        ids = list(db.session.scalars(recent))
        if ledger.corrections([rebate]) or (ids and ledger.differences([rebate], ids)):
            found.append(rebate.code)
    if found:
        text = _(
            "The ledger of these rebates does not agree with the orders: %(codes)s; `tukku rebates ledger --mend` adds what "
            "is missing.",
            codes=", ".join(found[:SHOWN]),
        )
        yield ConfigFinding("REBATE-LEDGER", "error", text)


def health() -> Iterator[HealthCheck]:
    """Say how many rebates hold, and how many proposals wait."""
    count = sum(1 for rebate in _rebates() if rebate.status == "active")
    open_ = db.session.scalar(select(func.count(Settlement.id)).where(Settlement.state == "proposed")) or 0
    text = _("%(count)s in force, %(open)s to be settled", count=count, open=open_)
    yield HealthCheck("rebates", _l("Rebates"), "ok", text)


def losses() -> Iterator[Impact]:
    """Say how many rebates stop accruing."""
    count = sum(1 for rebate in _rebates() if rebate.status == "active")
    if count:
        text = ngettext(
            "%(count)s rebate no longer accrues; when the addon is back, `tukku rebates ledger --mend` catches up.",
            "%(count)s rebates no longer accrue; when the addon is back, `tukku rebates ledger --mend` catches up.",
            count,
        )
        yield Impact(text, count, "warning")


@click.command("ledger")
@click.option("--mend", "mending", is_flag=True, help="Add to the ledger what is missing.")
def command(mending: bool) -> None:
    """Compare the ledger of rebates with all orders. Example: tukku rebates ledger --mend

    Ends with 1 where they do not agree and nothing was mended.
    """
    if mending:
        for code, count in mend().items():
            click.echo(f"{code}: added {count}.")
        click.echo("The ledger agrees with the orders.")
        return
    found = list(wrong())
    for code, what in found:
        click.echo(f"{code}: {what} is missing.")
    if found:
        raise SystemExit(1)
    click.echo("The ledger agrees with the orders.")


@click.command("settle")
def settle() -> None:
    """Propose now what is due for settlement, as the job does every night. Example: tukku rebates settle"""
    for code in settling.propose():
        click.echo(code)
    click.echo(f"{settling.open_count() or 0} proposal(s) wait for finance.")


CHECKS = (ConfigCheck("ledger", _l("Ledger of rebates"), ledger_agrees),)
COMMANDS = (Command(command), Command(settle))


SWEEPS = (
    DataCheck(
        "REBATE-LEDGER", "The ledger of rebates says what the orders say, and adds up.",
        lambda: dict.fromkeys(code for code, _what in wrong()),
        "`tukku rebates ledger --mend` adds what is missing.",
    ),
)  # fmt: skip
