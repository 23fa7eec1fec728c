"""Import and export of past orders: the heads. What was placed in the shop itself is never changed by an import.

Nothing is mailed and no rule runs: these documents are history that happened elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import aliased

from core.accounts.models import User
from core.companies.models import Address, Company
from core.companies.services import address_snapshot, seller
from core.data import clock
from core.data.db import db
from core.i18n import _, _l
from core.i18n.currencies import checked_currency
from core.imports.batch import Batch
from core.imports.upsert import Upsert, outcome_of
from core.orders.imports.charges import charges_by_order, load_charges
from core.orders.imports.sums import write_sums
from core.orders.models import NumberSeries, Order
from core.settings.services import get
from core.spec.errors import Invalid
from core.spec.imports import DataImport, ImportField, ImportRow, Outcome, RowResult

STATES = ("submitted", "confirmed", "completed", "cancelled")
#: Where an imported order comes from, unless the row says so itself.
SOURCE = "import"
USES = ("ship_to", "bill_to")
#: line: nets are rounded to the minor unit, as the shop does; exact: the source's amounts are kept to four decimals.
ROUNDINGS = ("line", "exact")
_PLAIN = ("po_number", "note", "state", "rounding", "source", "external_id")


def load_orders(rows: Sequence[ImportRow]) -> Sequence[RowResult]:
    """Upsert order heads and their charges; the amounts follow from lines and charges."""
    batch = Batch(rows, "number")
    facts = _Facts(batch)
    table = Upsert(Order, ("number",)).read(Order.number.in_(batch.all("number")))
    heads: dict[int, Outcome] = {}
    for row in batch:
        number, found = row.values["number"], table.get(row.values["number"])
        if not facts.check(batch, row, found):
            continue
        wanted = facts.head(row.values, found)
        if found is not None and not found["source"] and table.differs((number,), wanted):
            batch.fail(row, "number", _("This order was placed in the shop; an import cannot change it."))
        else:
            heads[row.number] = table.put((number,), wanted, new=facts.new(row.values), touch={"updated_at": clock.now()})
    table.flush()
    charged = load_charges(batch, [row for row in batch if row.number in heads])
    for row in batch:
        batch.done(row, outcome_of(heads[row.number], charged.get(row.number, "unchanged")))
    changed = [row.values["number"] for row in rows if heads.get(row.number) == "updated" or row.number in charged]
    if changed:
        write_sums(list(db.session.scalars(select(Order.id).where(Order.number.in_(changed)))))
    return batch.results()


class _Facts:
    """The companies, people and addresses that a batch of orders names."""

    def __init__(self, batch: Batch) -> None:
        company = select(Company.code, Company.id, Company.currency, Company.locale)
        found = db.session.execute(company.where(Company.code.in_(batch.all("company"))))
        self.companies = {row.code: row for row in found}
        emails = {email.lower() for email in batch.all("user") | batch.all("placed_by")}
        people = select(User.email, User.id, User.name, User.locale).where(User.email.in_(emails))
        self.people = {row.email: row for row in db.session.execute(people)}
        ids = [row.id for row in self.companies.values()]
        addresses = db.session.scalars(select(Address).where(Address.company_id.in_(ids)))
        self.addresses = {(address.company_id, address.code): address for address in addresses}
        self.seller_id = seller().id

    def check(self, batch: Batch, row: ImportRow, found: Mapping[str, Any] | None) -> bool:
        """Refuse a row whose references lead nowhere; True where all is well."""
        values = row.values
        company = self.companies.get(values["company"])
        if company is None:
            batch.unknown(row, "company", _("company"))
            return False
        if found is not None and found["company_id"] != company.id:
            batch.fail(row, "company", _("The order belongs to another company."))
            return False
        for field in ("user", "placed_by"):
            if field in values and values[field].lower() not in self.people:
                batch.unknown(row, field, _("person"))
                return False
        for field in USES:
            if field in values and (company.id, values[field]) not in self.addresses:
                batch.unknown(row, field, _("address of the company"))
                return False
        try:
            checked_currency(values.get("currency", company.currency), past=True)
        except Invalid as error:
            batch.fail(row, "currency", error.message)
            return False
        return True

    def new(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a new order holds beside what its row says."""
        company, now = self.companies[values["company"]], clock.now()
        person = self.people.get(values.get("user", "").lower())
        return {
            "seller_id": self.seller_id,
            "company_id": company.id,
            "currency": company.currency,
            "locale": person.locale if person else company.locale,
            "rounding": "exact",
            "source": SOURCE,
            "state": "submitted",
            "created_at": values["date"],
            "updated_at": now,
            "version": 1,
        }

    def head(self, values: Mapping[str, Any], found: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return the columns that a row sets."""
        wanted = {name: values[name] for name in _PLAIN if name in values}
        if "currency" in values:
            wanted["currency"] = values["currency"].upper()
        wanted |= _moments(values, found)
        for field, names in (("user", ("user_id", "user_name")), ("placed_by", ("placed_by_id", "placed_by_name"))):
            if field in values:
                person = self.people[values[field].lower()]
                wanted |= dict(zip(names, (person.id, person.name), strict=True))
        for use in USES:
            if use in values:
                address = self.addresses[self.companies[values["company"]].id, values[use]]
                wanted |= {f"{use}_id": address.id, use: address_snapshot(address)}
        return wanted


def _moments(values: Mapping[str, Any], found: Mapping[str, Any] | None) -> dict[str, datetime | None]:
    """Return when the order was submitted, confirmed, completed or cancelled; what is not told is the order's day."""
    state = values.get("state") or (found["state"] if found else "submitted")
    placed = values["date"]
    ended = values.get("completed", (found or {}).get("completed_at") or placed)
    return {
        "submitted_at": placed,
        "confirmed_at": placed if state in ("confirmed", "completed") else None,
        "completed_at": ended if state == "completed" else None,
        "cancelled_at": placed if state == "cancelled" else None,
    }


def follow_numbers() -> None:
    """Let the shop's own numbers go on above the imported ones."""
    prefix, seller_id = get("orders", "number_prefix"), seller().id
    numbers = db.session.scalars(select(Order.number).where(Order.number.startswith(prefix, autoescape=True)))
    tails = [number.removeprefix(prefix) for number in numbers if number]
    highest = max((int(tail) for tail in tails if tail.isdecimal() and len(tail) <= 15), default=0)
    series = (NumberSeries.seller_id == seller_id, NumberSeries.kind == "order")
    known = db.session.scalar(select(NumberSeries.next_value).where(*series))
    if known is None and highest > 10_000:
        db.session.add(NumberSeries(seller_id=seller_id, kind="order", prefix=prefix, next_value=highest + 1))
    elif known is not None and known <= highest:
        db.session.execute(update(NumberSeries).where(*series).values(next_value=highest + 1))


def export_orders() -> Iterator[dict[str, Any]]:
    """Yield the heads of all orders by number; carts are left out."""
    ship_to, bill_to, rep = aliased(Address), aliased(Address), aliased(User)
    query = (
        select(Order, Company.code, User.email, rep.email, ship_to.code, bill_to.code)
        .join(Company, Company.id == Order.company_id)
        .outerjoin(User, User.id == Order.user_id)
        .outerjoin(rep, rep.id == Order.placed_by_id)
        .outerjoin(ship_to, ship_to.id == Order.ship_to_id)
        .outerjoin(bill_to, bill_to.id == Order.bill_to_id)
        .where(Order.number.is_not(None))
        .order_by(Order.submitted_at, Order.id)
    )
    charged = charges_by_order()
    for order, company, user, placed_by, ship_code, bill_code in db.session.execute(query):
        yield {
            **{
                name: getattr(order, name)
                for name in ("number", "currency", "po_number", "note", "state", "source", "external_id")
            },
            "company": company,
            "user": user,
            "placed_by": placed_by,
            "date": order.submitted_at,
            "completed": order.completed_at,
            "ship_to": ship_code,
            "bill_to": bill_code,
            **charged.get(order.id, {}),
        }


ORDERS = DataImport(
    kind="orders",
    title=_l("Past orders"),
    key=("number",),
    fields=(
        ImportField("number", required=True, max_length=30),
        ImportField("company", required=True, max_length=40),
        ImportField("user", max_length=255),
        ImportField("placed_by", max_length=255),
        ImportField("date", "instant", required=True),
        ImportField("completed", "instant"),
        ImportField("currency", max_length=3),
        ImportField("po_number", max_length=60),
        ImportField("ship_to", max_length=40),
        ImportField("bill_to", max_length=40),
        ImportField("state", "choice", choices=STATES),
        ImportField("note", max_length=5000, lines=True),
        ImportField("rounding", "choice", choices=ROUNDINGS),
        ImportField("freight", "decimal", scale=4),
        ImportField("other_charges", "decimal", scale=4),
        ImportField("source", max_length=40),
        ImportField("external_id", max_length=80),
    ),
    load=load_orders,
    permission="orders.order.import",
    export=export_orders,
    after=follow_numbers,
    order=120,
)
