"""Import and export of companies: their place in the tree, segments and sales representative come with the row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, insert, select, tuple_
from sqlalchemy.orm import aliased

from core.accounts.models import StaffRole, User
from core.companies import identifiers
from core.companies.editing import CODE, STATUSES, checked_country
from core.companies.models import Company, CompanySegment, Segment
from core.data import audit, clock
from core.data.db import db
from core.i18n import LOCALES, _, _l
from core.i18n.currencies import checked_currency
from core.imports.batch import Batch
from core.imports.upsert import Upsert, codes, outcome_of
from core.jobs.services import emit
from core.spec.errors import Invalid
from core.spec.imports import DataImport, ImportField, ImportRow, Outcome, RowResult

_PLAIN = ("name", "country", "currency", "email", "phone", "status", "business_id", "vat_id", "source", "external_id")
_NEW = {
    "parent_id": None, "business_id": "", "vat_id": "", "locale": "en", "email": "", "phone": "", "status": "active",
    "sales_rep_id": None, "source": "", "external_id": "", "version": 1,
}  # fmt: skip


def load_companies(rows: Sequence[ImportRow]) -> Sequence[RowResult]:
    """Upsert companies; a parent may stand anywhere in the same batch."""
    batch = Batch(rows, "code")
    wanted = batch.all("code") | batch.all("parent")
    table = Upsert(Company, ("code",)).read(Company.code.in_(wanted))
    staff = _staff(batch.all("sales_rep"))
    for row in batch:
        _check(batch, row, table, staff)
    _check_parents(batch, table)
    first = {row.number: _put(table, row, staff) for row in batch}
    table.flush()
    placed = Upsert(Company, ("code",)).read(Company.code.in_(wanted))
    ids = {code: placed.get(code)["id"] for (code,) in placed.keys}  # type: ignore[index]
    second = {row.number: _place(placed, row, ids) for row in batch}
    placed.flush()
    third = _put_segments(batch, ids)
    told = [
        (row, ids[row.values["code"]], outcome_of(first[row.number], second[row.number], third[row.number])) for row in batch
    ]
    for row, _id, outcome in told:
        batch.done(row, outcome)
    _tell(told)
    return batch.results()


def _staff(emails: set[str]) -> dict[str, int]:
    """Return the ids of members of staff by address."""
    query = select(User.email, User.id).where(
        User.email.in_({e.lower() for e in emails}), User.id.in_(select(StaffRole.user_id))
    )
    return dict(db.session.execute(query).all())


def _check(batch: Batch, row: ImportRow, table: Upsert, staff: Mapping[str, int]) -> None:
    """Refuse a row that breaks a rule of companies, and write its ids in one way."""
    values = row.values
    found = table.get(values["code"])
    if not CODE.fullmatch(values["code"]):
        batch.fail(row, "code", _("Use letters, digits and . _ + - in the code, at most 40 of them."))
    elif found is None and not batch.require(row, "name", "country", "currency"):
        return
    elif "sales_rep" in values and values["sales_rep"].lower() not in staff:
        batch.unknown(row, "sales_rep", _("member of staff"))
    else:
        try:
            _normal(values, found)
        except Invalid as error:
            batch.fail(row, str(error.details.get("field", "")), error.message)


def _normal(values: Mapping[str, Any], found: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the columns of a row, checked by the rules of the country; Invalid names the field."""
    wanted = {name: values[name] for name in _PLAIN if name in values}
    if "language" in values:
        wanted["locale"] = values["language"]
    if "country" in wanted:
        wanted["country"] = checked_country(wanted["country"])
    if "currency" in wanted:
        wanted["currency"] = checked_currency(wanted["currency"])
    country = wanted.get("country") or (found or {}).get("country", "")
    if "business_id" in wanted:
        wanted["business_id"] = identifiers.business_id(country, wanted["business_id"])
    if "vat_id" in wanted:
        wanted["vat_id"] = identifiers.vat_id(country, wanted["vat_id"])
    return wanted


def _put(table: Upsert, row: ImportRow, staff: Mapping[str, int]) -> Outcome:
    code = row.values["code"]
    wanted = _normal(row.values, table.get(code))
    if "sales_rep" in row.values:
        wanted["sales_rep_id"] = staff[row.values["sales_rep"].lower()]
    return table.put((code,), wanted, new={**_NEW, "extra": {}, "created_at": clock.now()})


def _check_parents(batch: Batch, table: Upsert) -> None:
    """Refuse rows whose parent is missing or stands below them; a refused parent refuses its children."""
    if not batch.all("parent"):
        return
    parents = _present_parents()
    before = dict(parents)
    parents.update({row.values["code"]: row.values.get("parent", before.get(row.values["code"], "")) for row in batch})
    while refused := [row for row in batch if _misplaced(row.values["code"], parents)]:
        for row in refused:
            if parents[row.values["code"]] not in parents:
                batch.unknown(row, "parent", _("company"))
            else:
                batch.fail(row, "parent", _("The company would stand below itself; choose another parent."))
        for row in refused:
            code = row.values["code"]
            if code in before:
                parents[code] = before[code]
            else:
                del parents[code]


def _present_parents() -> dict[str, str]:
    above = aliased(Company)
    query = select(Company.code, above.code).outerjoin(above, above.id == Company.parent_id)
    return {code: parent or "" for code, parent in db.session.execute(query)}


def _misplaced(code: str, parents: Mapping[str, str]) -> bool:
    seen = {code}
    while code := parents.get(code, ""):
        if code in seen or code not in parents:
            return True
        seen.add(code)
    return False


def _place(table: Upsert, row: ImportRow, ids: Mapping[str, int]) -> Outcome:
    if "parent" not in row.values:
        return "unchanged"
    return table.put((row.values["code"],), {"parent_id": ids[row.values["parent"]]})


def _put_segments(batch: Batch, ids: Mapping[str, int]) -> dict[int, Outcome]:
    """Make the companies members of exactly the segments that their rows name; new segments are added."""
    named = {row.number: set(row.values["segments"]) for row in batch if "segments" in row.values}
    segments = _segments(set().union(*named.values()))
    present: dict[int, set[int]] = defaultdict(set)
    query = select(CompanySegment.company_id, CompanySegment.segment_id).where(CompanySegment.company_id.in_(ids.values()))
    for company_id, segment_id in db.session.execute(query):
        present[company_id].add(segment_id)
    added, removed = [], []
    outcomes: dict[int, Outcome] = {}
    for row in batch:
        company_id = ids[row.values["code"]]
        held = present[company_id]
        wanted = {segments[code] for code in named[row.number]} if row.number in named else held
        added += [{"company_id": company_id, "segment_id": segment} for segment in wanted - held]
        removed += [(company_id, segment) for segment in held - wanted]
        outcomes[row.number] = "unchanged" if wanted == held else "updated"
    if added:
        db.session.execute(insert(CompanySegment), added)
    if removed:
        pair = tuple_(CompanySegment.company_id, CompanySegment.segment_id)
        db.session.execute(delete(CompanySegment).where(pair.in_(removed)))
    return outcomes


def _segments(wanted: set[str]) -> dict[str, int]:
    known = codes(Segment.code, Segment.id, wanted)
    missing = sorted(wanted - set(known))
    if missing:
        rows = [{"code": code, "name": {"en": code.replace("-", " ").capitalize()}} for code in missing]
        db.session.execute(insert(Segment), rows)
        known |= codes(Segment.code, Segment.id, missing)
    return known


def _tell(told: Sequence[tuple[ImportRow, int, Outcome]]) -> None:
    """Record and announce the companies that were created or changed."""
    changed = [(row, company_id, outcome) for row, company_id, outcome in told if outcome in ("created", "updated")]
    entries = [
        (row.values["code"], outcome, company_id, {name: value for name, value in row.values.items() if name != "code"})
        for row, company_id, outcome in changed
    ]
    audit.record_all("company", entries, reason="import")
    for row, company_id, outcome in changed:
        event = "company.created" if outcome == "created" else "company.changed"
        emit(event, {"company_id": company_id, "code": row.values["code"]})


def export_companies() -> Iterator[dict[str, Any]]:
    """Yield the companies, parents before their subsidiaries."""
    segments: dict[int, list[str]] = defaultdict(list)
    held = select(CompanySegment.company_id, Segment.code).join(Segment, Segment.id == CompanySegment.segment_id)
    for company_id, code in db.session.execute(held.order_by(Segment.code)):
        segments[company_id].append(code)
    query = select(Company, User.email).outerjoin(User, User.id == Company.sales_rep_id).order_by(Company.code)
    rows = db.session.execute(query).all()
    by_id: dict[int | None, str] = {company.id: company.code for company, _email in rows}
    parents = {company.code: by_id.get(company.parent_id, "") for company, _email in rows}
    for company, email in sorted(rows, key=lambda row: (_depth(row[0].code, parents), row[0].code)):
        yield {
            **{name: getattr(company, name) for name in ("code", *_PLAIN)},
            "parent": parents[company.code],
            "language": company.locale,
            "segments": segments[company.id],
            "sales_rep": email,
        }


def _depth(code: str, parents: Mapping[str, str]) -> int:
    depth = 0
    while code := parents.get(code, ""):
        depth += 1
    return depth


COMPANIES = DataImport(
    kind="companies",
    title=_l("Companies"),
    key=("code",),
    fields=(
        ImportField("code", required=True, max_length=40),
        ImportField("name", max_length=200),
        ImportField("parent", max_length=40),
        ImportField("country", "country"),
        ImportField("business_id", max_length=40),
        ImportField("vat_id", max_length=40),
        ImportField("language", "choice", choices=LOCALES),
        ImportField("currency", max_length=3),
        ImportField("segments", "list", max_length=40),
        ImportField("email", max_length=255),
        ImportField("phone", max_length=50),
        ImportField("status", "choice", choices=STATUSES),
        ImportField("sales_rep", max_length=255),
        ImportField("source", max_length=40),
        ImportField("external_id", max_length=80),
    ),
    load=load_companies,
    permission="companies.company.edit",
    export=export_companies,
    order=60,
)
