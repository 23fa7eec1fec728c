"""Import and export of people: buyers with their roles in a company, and the merchant's staff.

Nobody gets a password here: people choose one by the link of an invitation or of "forgotten password".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import select

from core.accounts.models import StaffRole, User
from core.accounts.roles import BUYER, STAFF
from core.accounts.users import create_user, normal_email, set_staff_roles, update_user
from core.companies.memberships import set_memberships
from core.companies.models import Company, Membership
from core.data.db import db
from core.i18n import LOCALES, _, _l
from core.imports.batch import Batch
from core.imports.upsert import outcome_of
from core.spec.errors import TukkuError
from core.spec.imports import DataImport, ImportField, ImportRow, Outcome, RowResult


def load_users(rows: Sequence[ImportRow]) -> Sequence[RowResult]:
    """Upsert people and their roles; a row without a company is about a member of staff."""
    batch = Batch(rows, "email", "company")
    loader = _Loader(batch)
    for row in batch:
        loader.check(row)
    created = loader.create_people()
    for row in batch:
        try:
            batch.done(row, loader.put(row, created))
        except TukkuError as error:
            batch.fail(row, "roles", error.message)
    db.session.flush()
    return batch.results()


class _Loader:
    """The people, companies and memberships that one batch touches."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        emails = {email.strip().lower() for email in batch.all("email")}
        self.people = {user.email: user for user in db.session.scalars(select(User).where(User.email.in_(emails)))}
        companies = db.session.scalars(select(Company).where(Company.code.in_(batch.all("company"))))
        self.companies = {company.code: company for company in companies}
        self.held: dict[tuple[int, int], list[Membership]] = defaultdict(list)
        ids = [user.id for user in self.people.values()]
        for member in db.session.scalars(select(Membership).where(Membership.user_id.in_(ids))):
            self.held[member.user_id, member.company_id].append(member)
        self._named: set[str] = set()

    def check(self, row: ImportRow) -> None:
        """Refuse rows whose address, company or roles cannot be."""
        values = row.values
        allowed = BUYER if "company" in values else STAFF
        wrong = [role for role in values.get("roles", ()) if role not in allowed]
        try:
            email = normal_email(values["email"])
        except TukkuError as error:
            self.batch.fail(row, "email", error.message)
            return
        if "company" in values and values["company"] not in self.companies:
            self.batch.unknown(row, "company", _("company"))
        elif wrong:
            message = _("There is no role “%(role)s” here; use %(roles)s.", role=wrong[0], roles=", ".join(allowed))
            self.batch.fail(row, "roles", message)
        elif email not in self.people:
            self.batch.require(row, "name", "roles")

    def create_people(self) -> set[str]:
        """Add the people who are new, all at once; return their addresses."""
        created = set()
        for row in self.batch:
            email = normal_email(row.values["email"])
            if email not in self.people:
                user = create_user(email, row.values["name"], locale=row.values.get("language", "en"))
                user.staff_roles = []
                self.people[email] = user
                created.add(email)
        db.session.flush()
        return created

    def put(self, row: ImportRow, created: set[str]) -> Outcome:
        """Bring a person's name, language and roles up to the row."""
        email = normal_email(row.values["email"])
        user = self.people[email]
        first: Outcome = "created" if email in created else "unchanged"
        if email not in self._named:  # who works for two companies is named by the first of their rows
            self._named.add(email)
            if update_user(user, name=row.values.get("name"), locale=row.values.get("language")) and first != "created":
                first = "updated"
        return outcome_of(first, self._put_roles(user, row))

    def _put_roles(self, user: User, row: ImportRow) -> Outcome:
        if "roles" not in row.values:
            return "unchanged"
        if "company" in row.values:
            company = self.companies[row.values["company"]]
            held = self.held.get((user.id, company.id), [])
            changed = set_memberships(user, company, row.values["roles"], held=held)
        else:
            changed = set_staff_roles(user, row.values["roles"])
        return "updated" if changed else "unchanged"


def export_users() -> Iterator[dict[str, Any]]:
    """Yield the staff, then the buyers by company."""
    staff: dict[User, list[str]] = defaultdict(list)
    query = select(User, StaffRole.role).join(StaffRole, StaffRole.user_id == User.id)
    for user, role in db.session.execute(query.order_by(User.email, StaffRole.role)):
        staff[user].append(role)
    for user, roles in staff.items():
        yield _row(user, "", roles)
    members: dict[tuple[str, User], list[str]] = defaultdict(list)
    held = (
        select(Company.code, User, Membership.role)
        .join(Membership, Membership.company_id == Company.id)
        .join(User, User.id == Membership.user_id)
        .order_by(Company.code, User.email, Membership.role)
    )
    for code, user, role in db.session.execute(held):
        members[code, user].append(role)
    for (code, user), roles in members.items():
        yield _row(user, code, roles)


def _row(user: User, company: str, roles: list[str]) -> dict[str, Any]:
    return {"email": user.email, "company": company, "name": user.name, "language": user.locale, "roles": roles}


USERS = DataImport(
    kind="users",
    title=_l("People and roles"),
    key=("email", "company"),
    fields=(
        ImportField("email", required=True, max_length=255),
        ImportField("company", max_length=40),
        ImportField("name", max_length=200),
        ImportField("language", "choice", choices=LOCALES),
        ImportField("roles", "list"),
    ),
    load=load_users,
    permission="accounts.staff.manage",
    export=export_users,
    order=80,
)
