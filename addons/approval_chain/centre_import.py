"""Import and export of cost centres, by company and code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select

from core.api.companies import Company, Membership, User
from core.api.data import clock, db
from core.api.hooks import DataImport, ImportField, ImportRow, RowResult
from core.api.i18n import translations
from core.api.imports import Batch, Upsert, codes

from .centre_models import CentreDefault, CostCentre
from .cost_centres import CODE
from .permissions import DECIDING, LIMITS

_, _l, ngettext, _p = translations(__name__)
PLAIN = ("name", "active", "source", "external_id")


def load(rows: Sequence[ImportRow]) -> Sequence[RowResult]:
    """Upsert cost centres by company and code; an owner is somebody of the company who may approve."""
    batch = Batch(rows, "company", "code")
    companies = codes(Company.code, Company.id, batch.all("company"))
    deciders = _deciders(set(companies.values()))
    defaults = _Defaults(companies.values())
    outcomes: dict[int, Any] = {}
    called = _called(list(companies.values()))
    table = Upsert(CostCentre, ("company_id", "code")).read(CostCentre.company_id.in_(companies.values()))
    for row in batch:
        given = row.values
        if given["company"] not in companies:
            batch.unknown(row, "company", _("company"))
            continue
        key = (companies[given["company"]], given["code"])
        if not CODE.fullmatch(given["code"]):
            batch.fail(row, "code", _("A code has letters, digits, dots, dashes and strokes, up to 40. Example: 4100-MAINT"))
            continue
        if table.get(*key) is None and not batch.require(row, "name"):
            continue
        values: dict[str, Any] = {name: given[name] for name in PLAIN if name in given}
        outside = (key[0], given.get("source", ""), given.get("external_id", ""))
        if outside[2] and called.setdefault(outside, key[1]) != key[1]:
            text = _("%(source)s %(id)s is known here as %(code)s.", source=outside[1], id=outside[2], code=called[outside])
            batch.fail(row, "external_id", text)
            continue
        if "owner" in given:
            values["owner_id"] = deciders.get((key[0], given["owner"].lower()))
            if values["owner_id"] is None:
                text = _("The owner of a cost centre must be somebody of the company who may approve orders.")
                batch.fail(row, "owner", text)
                continue
        new = {"active": True, "owner_id": None, "source": "", "external_id": "", "created_at": clock.now()}
        outcomes[row.number] = table.put(key, values, new=new)
    table.flush()
    ids = table.ids(CostCentre.company_id.in_(companies.values()))
    for row in batch:
        key = (companies[row.values["company"]], row.values["code"])
        changed = defaults.put(batch, row, key[0], ids[key])
        if changed is not None:
            outcome = outcomes[row.number]
            batch.done(row, "updated" if changed and outcome == "unchanged" else outcome)
    return batch.results()


def _called(company_ids: Sequence[int]) -> dict[tuple[int, str, str], str]:
    """Return the codes of cost centres by company and what another system calls them."""
    query = select(CostCentre).where(CostCentre.company_id.in_(company_ids), CostCentre.external_id != "")
    return {(row.company_id, row.source, row.external_id): row.code for row in db.session.scalars(query)}


def with_codes(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return rows with the code of cost centres that they name as another system does, by company."""
    wanted = [row for row in rows if not row.get("code") and row.get("external_id")]
    companies = codes(Company.code, Company.id, {str(row.get("company")) for row in wanted})
    called = _called(list(companies.values()))
    found = {
        id(row): called.get((companies.get(row.get("company"), 0), row.get("source") or "", row["external_id"]))
        for row in wanted
    }
    return [{**row, "code": found[id(row)]} if found.get(id(row)) else row for row in rows]


class _Defaults:
    """On which cost centre people's orders are put, of some companies."""

    def __init__(self, company_ids: Iterable[int]) -> None:
        ids = list(company_ids)
        members = select(Membership.company_id, func.lower(User.email), User.id).join(User, User.id == Membership.user_id)
        self._people = {(c, e): u for c, e, u in db.session.execute(members.where(Membership.company_id.in_(ids)))}
        rows = db.session.scalars(select(CentreDefault).where(CentreDefault.company_id.in_(ids)))
        self._rows = {(row.company_id, row.user_id): row for row in rows}

    def put(self, batch: Batch, row: ImportRow, company_id: int, centre_id: int) -> bool | None:
        """Put the orders of the row's people on the cost centre; whether that changed something, None where it failed."""
        wanted = [email.lower() for email in row.values.get("people", ())]
        unknown = next((email for email in wanted if (company_id, email) not in self._people), None)
        if unknown is not None:
            batch.fail(row, "people", _("%(email)s is nobody of the company.", email=unknown))
            return None
        changed = False
        for user_id in (self._people[company_id, email] for email in wanted):
            known = self._rows.get((company_id, user_id))
            if known is None:
                known = CentreDefault(company_id=company_id, user_id=user_id)
                self._rows[company_id, user_id] = known
                db.session.add(known)
            changed = changed or known.cost_centre_id != centre_id
            known.cost_centre_id = centre_id
        db.session.flush()
        return changed


def _deciders(company_ids: set[int]) -> dict[tuple[int, str], int]:
    query = select(Membership.company_id, User.email, User.id).join(User, User.id == Membership.user_id)
    rows = db.session.execute(query.where(Membership.company_id.in_(company_ids), Membership.role.in_(DECIDING)))
    return {(company_id, email.lower()): user_id for company_id, email, user_id in rows}


def export() -> Iterator[dict[str, Any]]:
    """Yield the cost centres by company and code."""
    query = (
        select(Company.code.label("company"), CostCentre, User.email)
        .join(Company, Company.id == CostCentre.company_id)
        .outerjoin(User, User.id == CostCentre.owner_id)
        .order_by(Company.code, CostCentre.code)
    )
    whose = select(CentreDefault.cost_centre_id, User.email).join(User, User.id == CentreDefault.user_id)
    people: dict[int, list[str]] = {}
    for centre_id, email in db.session.execute(whose.order_by(User.email)):
        people.setdefault(centre_id, []).append(email)
    for company, centre, email in db.session.execute(query):
        yield {
            "company": company, "code": centre.code, "name": centre.name, "owner": email, "active": centre.active,
            "source": centre.source, "external_id": centre.external_id, "people": people.get(centre.id, []),
        }  # fmt: skip


COST_CENTRES = DataImport(
    kind="cost_centres",
    title=_l("Cost centres"),
    key=("company", "code"),
    fields=(
        ImportField("company", required=True, max_length=40, help=_l("Code of the company")),
        ImportField("code", required=True, max_length=40),
        ImportField("name", max_length=120),
        ImportField("owner", max_length=255, help=_l("E-mail address of who answers for it")),
        ImportField("active", "boolean"),
        ImportField("source", max_length=40, help=_l("Another system that calls it external_id")),
        ImportField("external_id", max_length=80),
        ImportField("people", "list", help=_l("E-mail addresses of those whose orders go on it unless they choose another")),
    ),
    load=load,
    permission=LIMITS,
    export=export,
)
