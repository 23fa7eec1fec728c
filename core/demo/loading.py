"""Load the demo merchant into a fresh shop, through the ordinary importers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from sqlalchemy import select, update

from core.accounts.models import User
from core.accounts.passwords import hashed
from core.companies.models import Seller
from core.data import clock
from core.data.db import db
from core.data.write import write
from core.demo.generator import Summary, generate
from core.demo.identifiers import finnish_id
from core.imports.commands import Bars
from core.imports.kinds import kinds
from core.imports.report import Report
from core.imports.services import import_file
from core.settings.services import set_value
from core.spec.errors import Invalid

#: The password of everybody in the demo; a real shop's people choose theirs by an invitation.
PASSWORD = "ruuvi-laakeri-demo"  # noqa: S105 - printed on purpose, for a shop with invented data
ZONE = "Europe/Helsinki"
LOGINS = (
    ("anna@konepaja.example", "buys for Konepaja Virtanen Oy"),
    ("erik@nordbygg.example", "buys for Nordbygg AB"),
    ("minna@konepaja.example", "administers Konepaja and buys for its subsidiary"),
    ("sales@tukku.example", "sales"),
    ("warehouse@tukku.example", "warehouse"),
    ("admin@tukku.example", "administrator"),
)
_KIND_OF = {"staff": "users"}


def load_demo(say: Callable[[str], None], scale: float = 1.0) -> None:
    """Make the demo merchant, import its files and print the logins; running it again changes nothing.

    ``scale`` below one loads a thinner assortment and fewer orders. Raises Invalid where a row is refused.
    """
    _make_seller()
    with TemporaryDirectory() as folder, ExitStack() as stack:
        say("Making the demo merchant …")
        summary = generate(Path(folder), last_order_before(), scale=scale)
        bars = Bars(stack)
        for name, report in _import(summary, bars):
            say(f"  {name}: {report.rows} rows, {report.changed} new or changed")
    _give_passwords()
    set_value("core", "staff_second_factor", False, reason="the demo's logins are printed")
    say(f"Sign in with the password {PASSWORD} as")
    for email, what in LOGINS:
        say(f"  {email:<26} {what}")
    say("The demo asks its staff for no second factor; a shop of your own does.")


def last_order_before() -> datetime:
    """Return when the demo's orders end: at six in the morning, so that a day gives the same orders, or earlier now."""
    now = clock.now().astimezone(ZoneInfo(ZONE))
    return min(now, now.replace(hour=6, minute=0, second=0, microsecond=0))


def _import(summary: Summary, bars: Bars) -> Iterator[tuple[str, Report]]:
    """Import the files in their order; kinds of addons that are not enabled are left out."""
    known = {kind.kind for kind in kinds()}
    for name in summary.rows:
        kind = _KIND_OF.get(name, name)
        if kind in known:
            report = import_file(kind, summary.directory / f"{name}.csv", starter=bars)
            _refuse_errors(name, report)
            yield name, report


def _refuse_errors(name: str, report: Report) -> None:
    if report.failed:
        first = report.errors[0]
        message = f"The demo's file {name} was refused in row {first.number}, {first.field}: {first.message}"
        raise Invalid("DEMO-REFUSED", message)


def _make_seller() -> None:
    """Write the merchant's legal entity where there is none yet."""
    number = finnish_id(2_890_001) or ""
    with write() as session:
        if session.scalar(select(Seller.id)) is None:
            session.add(
                Seller(
                    code="main",
                    name="Ruuvi & Laakeri Oy",
                    business_id=number,
                    vat_id="FI" + number.replace("-", ""),
                    street="Hatanpään valtatie 12",
                    postal_code="33100",
                    city="Tampere",
                    country="FI",
                    email="sales@tukku.example",
                    phone="+358 50 555 0100",
                    iban="FI2112345600000785",
                    bic="NDEAFIHH",
                    zone=ZONE,
                    currency="EUR",
                    locale="en",
                )
            )


def _give_passwords() -> None:
    """Give those without a password the demo's; one hash for all, since hashing takes long."""
    if db.session.scalar(select(User.id).where(User.password.is_(None)).limit(1)) is None:
        return
    hash_of_all, now = hashed(PASSWORD), clock.now()
    statement = update(User).where(User.password.is_(None), User.email.endswith(".example"))
    with write() as session:
        session.execute(statement.values(password=hash_of_all, password_changed_at=now, confirmed_at=now))
