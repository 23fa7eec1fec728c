"""Import and export of rules, of companies and of the seller: a row each, by company and name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from core.api.companies import Company, User, seller
from core.api.data import clock, db, write
from core.api.hooks import DataImport, ImportField, ImportRow, Invalid, OrderFact, RowResult
from core.api.i18n import read_plain, translations
from core.api.imports import Batch, codes
from core.api.jobs import emit

from . import facts, managers, reading
from .models import Group, Rule, SellerRule
from .permissions import CENTRE_OWNER, SELLER_RULES, SELLER_SETUP, SETUP
from .rule_models import EFFECTS, RuleParts
from .seller import ROLES as STAFF

_, _l, ngettext, _p = translations(__name__)
BUYERS = ("orderer", "approver", "company_admin", "viewer", managers.MANAGER, CENTRE_OWNER)
#: The fifth part of a step that only those decide who may approve that much.
LIMITED = "limit"
PLAIN = ("name", "effect", "priority", "valid_from", "valid_until", "active")


@dataclass(frozen=True, slots=True)
class Known:
    """What names in rows stand for."""

    specs: Mapping[str, OrderFact]
    people: Mapping[str, int]
    groups: Mapping[tuple[int, str], str]
    companies: Mapping[str, Company]


def load(rows: Sequence[ImportRow]) -> Sequence[RowResult]:
    """Upsert rules by company ('' is the seller) and name; money of a new one is in the company's currency."""
    batch = Batch(rows, "company", "name")
    known = _known(batch)
    ids = [company.id for company in known.companies.values()]
    there: dict[tuple[int, str], RuleParts] = {
        (row.company_id, row.name): row for row in db.session.scalars(select(Rule).where(Rule.company_id.in_(ids)))
    }
    touched: set[int] = set()
    there |= {(0, row.name): row for row in db.session.scalars(select(SellerRule))}
    with write() as session:
        for row in batch:
            code = row.values.get("company", "")
            if code and code not in known.companies:
                batch.unknown(row, "company", _("company"))
                continue
            company = known.companies.get(code)
            key = (company.id if company else 0, row.values["name"])
            try:
                values = _values(row.values, company, known)
            except Invalid as error:
                batch.fail(row, str((error.details or {}).get("column", "when")), error.message)
                continue
            found = there.get(key)
            if found is None and not values.get("steps") and values.get("effect", "require") == "require":
                batch.fail(row, "steps", _("Say who approves."))
                continue
            done = _put(session, there, key, company, values)
            batch.done(row, done)
            if done != "unchanged":
                touched.add(company.id if company else 0)
        session.flush()
        for company_id in sorted(touched):
            emit(SETUP if company_id else SELLER_SETUP, {"company_id": company_id})
    return batch.results()


def _put(
    session: Any, there: dict[tuple[int, str], RuleParts], key: Any, company: Company | None, values: dict[str, Any]
) -> Any:
    found = there.get(key)
    if found is not None:
        changed = any(getattr(found, name) != value for name, value in values.items())
        for name, value in values.items():
            setattr(found, name, value)
        return "updated" if changed else "unchanged"
    new: RuleParts = Rule(company_id=company.id) if company else SellerRule()
    new.currency, new.created_at = (company or seller()).currency, clock.now()
    for name, value in {"name": key[1], **values}.items():
        setattr(new, name, value)
    session.add(new)
    session.flush()
    there[key] = new
    return "created"


def _known(batch: Batch) -> Known:
    found = codes(Company.code, Company.id, {code for code in batch.all("company") if code})
    companies = {c.code: c for c in db.session.scalars(select(Company).where(Company.id.in_(found.values())))}
    mails = {who.lower() for row in batch for who in _names(row.values) if "@" in who}
    people = db.session.execute(select(User.email, User.id).where(User.email.in_(mails)))
    groups = db.session.scalars(select(Group).where(Group.company_id.in_(found.values())))
    return Known(
        {name: _asked_once(spec) for name, spec in facts.specs(ours=True).items()},
        {row.email.lower(): row.id for row in people},
        {(group.company_id, group.name): group.role for group in groups},
        companies,
    )


def _asked_once(spec: OrderFact) -> OrderFact:
    """Return the figure with its values read for a whole file."""
    if spec.options is None:
        return spec
    kept: list[tuple[str, object]] = []

    def options() -> Sequence[tuple[str, object]]:
        if not kept and spec.options is not None:
            kept.extend(spec.options())
        return kept

    return replace(spec, options=options)


def _names(given: Mapping[str, Any]) -> Iterator[str]:
    yield from _split(given.get("orderers", ""), ",")
    for step in _split(given.get("steps", ""), ";"):
        yield from _split(f"{step}||".split("|")[1], ",")


def _split(text: str, mark: str) -> list[str]:
    return [part.strip() for part in text.split(mark) if part.strip()]


def _values(given: Mapping[str, Any], company: Company | None, known: Known) -> dict[str, Any]:
    values: dict[str, Any] = {name: given[name] for name in PLAIN if name in given and name != "name"}
    if "inherit" in given and company is not None:
        values["inherit"] = given["inherit"]
    if "when" in given:
        values["conditions"] = [_condition(part, company, known) for part in _split(given["when"], ";")]
    if "orderers" in given:
        roles, people = _who(_split(given["orderers"], ","), "orderers", company, known)
        values["for_roles"], values["for_people"] = roles, people
    if "steps" in given:
        values["steps"] = [_step(part, company, known) for part in _split(given["steps"], ";")]
    return values


def _condition(text: str, company: Company | None, known: Known) -> dict[str, Any]:
    parts = text.split(None, 2)
    if len(parts) < 3:
        raise _wrong("when", _("“%(text)s” is no condition. Example: total > 500", text=text))
    specs = {name: spec for name, spec in known.specs.items() if company is None or not spec.internal}
    return reading.condition(specs, parts[0], parts[1], parts[2], read_plain)


def _step(text: str, company: Company | None, known: Known) -> dict[str, Any]:
    parts = [part.strip() for part in text.split("|")]
    if len(parts) not in (4, 5) or parts[4:] not in ([], [""], [LIMITED]):
        raise _wrong("steps", _("“%(text)s” is no step. Example: 500|approver|1|1", text=text))
    above, who, need, turn = parts[:4]
    roles, people = _who(_split(who, ","), "steps", company, known)
    if not roles and not people:
        raise _wrong("steps", _("Say who approves."))
    if not turn.isdigit() or not 1 <= int(turn) <= 20 or not (need == "all" or need.isdigit()) or len(need) > 3:
        raise _wrong("steps", _("“%(text)s” is no step. Example: 500|approver|1|1", text=text))
    amount = "" if not above else str(_amount(above))
    return {
        "above": amount,
        "roles": roles,
        "people": people,
        "need": 0 if need == "all" else int(need),
        "tier": int(turn),
        "limited": parts[4:] == [LIMITED],
    }


def _amount(text: str) -> Decimal:
    try:
        return read_plain(text)
    except Invalid as error:
        raise _wrong("steps", str(error.message)) from error


def _who(chosen: Sequence[str], column: str, company: Company | None, known: Known) -> tuple[list[str], list[int]]:
    roles, people = [], []
    for name in chosen:
        group = known.groups.get((company.id, name)) if company else None
        if name in (BUYERS if company else STAFF):
            roles.append(name)
        elif group:
            roles.append(group)
        elif name.lower() in known.people:
            people.append(known.people[name.lower()])
        else:
            raise _wrong(column, _("There is neither a role nor a person “%(name)s”.", name=name))
    return roles, people


def _wrong(column: str, text: str) -> Invalid:
    return Invalid("APPROVAL-ROW", text, details={"column": column})


def export() -> Iterator[dict[str, Any]]:
    """Yield the seller's rules and those of companies that have a name, as the import reads them."""
    rows: list[tuple[str, RuleParts]] = [("", row) for row in db.session.scalars(select(SellerRule).order_by(SellerRule.id))]
    query = select(Company.code, Rule).join(Company, Company.id == Rule.company_id).order_by(Company.code, Rule.id)
    rows += [(code, row) for code, row in db.session.execute(query)]
    ids = {i for _code, row in rows for i in (*row.for_people, *(p for step in row.steps for p in step["people"]))}
    mails = {row.id: row.email for row in db.session.execute(select(User.id, User.email).where(User.id.in_(ids)))}
    groups = {group.role: group.name for group in db.session.scalars(select(Group))}

    def who(roles: Sequence[str], people: Sequence[int]) -> str:
        return ",".join([*(groups.get(role, role) for role in roles), *(mails[p] for p in people if p in mails)])

    for code, row in rows:
        if not row.name:
            continue
        yield {
            "company": code,
            **{name: getattr(row, name) for name in PLAIN},
            "inherit": getattr(row, "inherit", None),
            "when": ";".join(f"{c['fact']} {c['op']} {_text(c['value'])}" for c in row.conditions),
            "orderers": who(row.for_roles, row.for_people),
            "steps": ";".join(
                f"{s['above']}|{who(s['roles'], s['people'])}|{s['need'] or 'all'}|{s['tier']}"
                f"{f'|{LIMITED}' if s.get('limited') else ''}"
                for s in row.steps
            ),
        }


def _text(value: Any) -> str:
    return ",".join(value) if isinstance(value, list) else str(value)


RULES = DataImport(
    kind="approval_rules",
    title=_l("Approval rules"),
    key=("company", "name"),
    fields=(
        ImportField("company", max_length=40, help=_l("Code of the company; empty: a rule of the seller")),
        ImportField("name", required=True, max_length=120),
        ImportField("effect", "choice", choices=EFFECTS),
        ImportField("when", max_length=2000, help=_l("Conditions with ; between. Example: total > 500; country in FI,SE")),
        ImportField("orderers", max_length=2000, help=_l("Roles and e-mail addresses with commas between; empty: all")),
        ImportField(
            "steps", max_length=2000,
            help=_l(
                "Total above, who, how many (or all), turn, and “limit” where only those decide who may approve that much; "
                "steps with ; between. Example: 500|approver|1|1"
            ),
        ),
        ImportField("priority", "integer"),
        ImportField("valid_from", "date"),
        ImportField("valid_until", "date"),
        ImportField("inherit", "boolean"),
        ImportField("active", "boolean"),
    ),
    load=load,
    permission=SELLER_RULES,
    export=export,
)  # fmt: skip
