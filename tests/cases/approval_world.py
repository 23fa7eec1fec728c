"""One case of approvals in the product's own objects: companies, people, stored rules, limits and policy, a placed order.

What is asked of the product goes through its services, as the person who acts. Roles of a case are roles that a company
names itself (``company_admin`` is the product's), a selling company is a subsidiary for which is ordered, its tiers by
sequence are turns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from flask import Flask
from sqlalchemy import select

from addons.approval_chain import asking, deciding, inbox, policies, reasons, services, story, voluntary
from addons.approval_chain import facts as figures
from addons.approval_chain import flow as flows
from addons.approval_chain import rules as company_rules
from addons.approval_chain.engine import SELLER, Plan
from addons.approval_chain.flow import Flow
from addons.approval_chain.models import GroupMember
from addons.promotions.tests.conftest import promotion
from core.accounts.models import User
from core.catalog.models import Product
from core.companies.models import Company
from core.data import clock
from core.data.db import db
from core.data.scope import Actor, Scope, acting
from core.data.write import write
from core.orders import cart, lifecycle, manual, pages, placing, queries, reorder
from core.orders.draft import draft_of, stored_draft
from core.orders.merging import NewItem
from core.orders.models import Order
from core.pricing.models import CurrencyRate, ListPrice
from core.settings.services import set_value
from core.spec.errors import TukkuError
from core.spec.orders import OrderDraft, Stage
from core.spec.pricing import ManualTerms
from core.testing import factories

from . import approval_form as form
from .neutral import Unsupported, number

BUYS = frozenset(
    f"{name}"
    for name in (
        "catalog.product.view", "pricing.price.view", "orders.cart.use", "orders.order.place", "orders.order.view",
        "orders.order.cancel",
    )
)  # fmt: skip
DECIDES = BUYS | {"approval_chain.approval.decide"}
ADMINISTERS = DECIDES | {"approval_chain.rule.edit"}
#: The finding that says that somebody may not ask for an approval.
BARRED = "APPROVAL-BARRED"


class World:
    """The objects of one case, and what happened to its order."""

    def __init__(self, case: Mapping[str, Any], app: Flask, key: str) -> None:
        self.case, self.app, self.key = case, app, key
        form.check(case)
        self.policy, self.order = case.get("policy", {}), case.get("order", {})
        self.by_limits = self.policy.get("decide_by") == "limits"
        self.requester = self.order.get("requester", "requester")
        self.number, self.submitted, self.ordered, self.rejected = "", False, False, ""
        self.rule_ids: dict[str, str] = {}
        self._companies()
        self._people()
        with self.as_admin(self.top):
            self._set_policy()
            if self.by_limits:
                self._set_limits()
            else:
                self._set_rules()
        self._fill_cart()

    # -- set-up ------------------------------------------------------------------------------------------------------

    def _companies(self) -> None:
        """Make the units as companies side by side: where only one's own unit decides, whoever is above it does not."""
        self.units: dict[str, int] = {}
        self.top = self._company(self.key)
        rows = self.case.get("units", ()) if self.policy.get("scope") == "own_unit" else ()
        sellers = {row["company"] for row in (self.order, *form.rules_of(self.case)) if row.get("company")}
        for name in (*(row["id"] for row in rows), *sorted(sellers)):
            self.units[name] = self._company(f"{self.key}-{name}", parent=db.session.get_one(Company, self.top))

    def _company(self, code: str, **values: Any) -> int:
        return factories.make_company(code, currency=self.order.get("currency", "EUR"), **values).id

    def _people(self) -> None:
        """Make the people, with the product's roles and the case's as the companies' own."""
        rows = form.people_of(self.case)
        self.people: dict[str, int] = {}
        self.roles: dict[str, list[str]] = {row["id"]: list(row.get("roles", ())) for row in rows}
        self.rights: dict[str, list[str]] = {}
        self.home: dict[str, int] = {}
        for row in rows:
            home = self.units.get(self.order.get("company") or row.get("unit", ""), self.top)
            roles = ["orderer"]
            if not self.by_limits or "approve_limit" in row:
                roles.append("company_admin" if "company_admin" in self.roles[row["id"]] else "approver")
            company = db.session.get(Company, home)
            user = factories.make_user(f"{row['id']}@{self.key}.example", company=company, roles=roles)
            self.people[row["id"]], self.home[row["id"]] = user.id, home
            found = (*(form.GIVEN[x] for x in row.get("rights", ())), *(form.TAKEN[x] for x in row.get("lacks", ())))
            self.rights[row["id"]] = [right for right in found if right]
        self.names = {str(id_): who for who, id_ in self.people.items()}
        with self.as_admin(self.top):
            self.groups = {name: policies.save_group(name, []).id for name in sorted(form.roles_of(self.case))}
            for right in sorted({right for rights in self.rights.values() for right in rights}):
                self.groups[f"right {right}"] = policies.save_group(f"right {right}", [], None, {right: True}).id
        self._fill_groups()

    def _fill_groups(self) -> None:
        """Put people into the roles; those of units below are members of the roles of the top company."""
        with write() as session:
            for row in session.scalars(select(GroupMember).where(GroupMember.group_id.in_(self.groups.values()))):
                session.delete(row)
            session.flush()
            for who, id_ in self.people.items():
                names = dict.fromkeys([*self.roles[who], *(f"right {right}" for right in self.rights[who])])
                session.add_all(GroupMember(group_id=self.groups[name], user_id=id_, company_id=self.top) for name in names)

    def _set_policy(self, *, voluntary: bool = True) -> None:
        policies.save_policy(
            {
                "selection": form.SELECTIONS[self.policy.get("select", "all")],
                "otherwise": "deny" if self.policy.get("no_rule") == "refuse" else "nobody",
                "fallback": "company_admin",
                "allow_self": self.policy.get("own_tier") == "allowed",
                "once": self.policy.get("same_person") == "once",
                "all_see": not any("rights" in row for row in self.case.get("people", ())),
                "references_free": bool(self.policy.get("editable_while_waiting")),
                "voluntary": voluntary,
            }
        )

    def _set_limits(self) -> None:
        for row in self.case.get("people", ()):
            code = db.session.get_one(User, self.people[row["id"]]).code
            values = {name: number(row[name]) if name in row else None for name in ("order_limit", "approve_limit")}
            with self.as_admin(self.home[row["id"]]):
                company_rules.set_limit({"whose": f"@{code}", **values})

    def _set_rules(self) -> None:
        rows = form.rules_of(self.case)
        sequences = sorted({row.get("sequence", 0) for row in rows}, reverse=True)
        turns = {s: i for i, s in enumerate(sequences, 1)} if self.policy.get("sequence") == "highest_first" else {}
        for row in rows:
            with self.as_admin(self.units.get(row.get("company", ""), self.top)):
                made = company_rules.save_rule(self._rule(row, turns.get(row.get("sequence", 0), 1)))
                self.rule_ids[str(made.id)] = row["id"]
        if self.policy.get("exempt_roles"):
            roles = [self._role(name) for name in self.policy["exempt_roles"]]
            company_rules.save_rule({"effect": "bypass", "for_roles": roles})

    def _rule(self, row: Mapping[str, Any], tier: int) -> dict[str, Any]:
        who = form.approvers_of(row)
        if "approvers" not in row and self.order.get("assigned_to"):
            who = {"people": [self.order["assigned_to"]]}
        said, people = [], list(row.get("for_people", ()))
        for one in row.get("when", ()):
            if one["fact"] == "requester" and one["op"] == "=":
                people.append(one["value"])
            elif one["fact"] not in form.ALWAYS:
                said.append(self._condition(one))
        step = {
            "above": "",
            "people": [self.people[p] for p in who.get("people", ())],
            "roles": [self._role(r) for r in who.get("roles", ())],
            "need": 0 if who.get("need", "all") == "all" else 1,
            "tier": tier,
        }
        return {
            "name": row["id"],
            "effect": "require",
            "priority": int(row.get("priority", 0)),
            "conditions": said,
            "steps": [step],
            "for_roles": [self._role(r) for r in row.get("for_roles", ())],
            "for_people": [self.people[p] for p in people],
        }

    def _role(self, name: str) -> str:
        return f"group:{self.groups[name]}"

    def _condition(self, said: Mapping[str, Any]) -> dict[str, Any]:
        fact, op, value = form.FACTS[said["fact"]], said["op"], said["value"]
        if said["fact"] == "price_changed":
            return {"fact": fact, "op": ">" if value else "=", "value": "0"}
        if said["fact"] not in form.CODES:
            return {"fact": fact, "op": op, "value": str(number(value))}
        if op not in ("=", "in"):
            raise Unsupported(f"comparing {said['fact']} by {op}")
        values = value if isinstance(value, list) else [value]
        return {"fact": fact, "op": "in", "value": [f"{self.key}-{one}" if fact == "company" else one for one in values]}

    def _fill_cart(self) -> None:
        """Put what is ordered into the requester's cart: the lines of the case, or goods worth its total."""
        freight = number(self.order.get("shipping_incl_tax", 0))
        code = db.session.get_one(Company, self.company_id).code
        if freight:
            self._at_par(self.order.get("currency", "EUR"))
            set_value("orders", "freight", freight, target=f"company:{code}")
        lines = form.lines_of(self.order)
        if lines is None:
            lines = form.lines_worth(self.order, number(self.order.get("total", Decimal(1000) + freight)) - freight)
        self._fill_lines(lines)

    def _at_par(self, currency: str) -> None:
        """Let the seller's freight be the same figure in another currency."""
        known = select(CurrencyRate.id).where(CurrencyRate.source == "EUR", CurrencyRate.target == currency)
        if currency == "EUR" or db.session.scalar(known) is not None:
            return
        with write() as session:
            session.add(CurrencyRate(source="EUR", target=currency, day=clock.today("UTC"), rate=Decimal(1)))

    def _put(self, rows: Sequence[tuple[Decimal, Decimal]]) -> None:
        """Put articles at these list prices, in these quantities, into the cart."""
        goods = [f"{self.key}-{i}" for i in range(len(rows))]
        for sku, (price, _quantity) in zip(goods, rows, strict=True):
            factories.make_product(sku, price=price, currency=self.order.get("currency", "EUR"))
        with self.acting(self.requester):
            cart.add([NewItem(sku, quantity) for sku, (_price, quantity) in zip(goods, rows, strict=True)])

    def _fill_lines(self, lines: Sequence[Mapping[str, Decimal]]) -> None:
        """Put lines into the cart: sales set prices other than the list's by hand, a promotion takes off the whole."""
        off = number(self.order.get("order_discount", 0))
        if off:
            promotion(self.key, value=str(off), currency="", company_id=self.company_id, on_agreed=True)
        self._put([(line["list"], line["qty"]) for line in lines])
        if all(line["price"] == line["list"] for line in lines):
            return
        sales = factories.make_staff(f"sales@{self.key}.example").id
        actor = self._actor(sales, self.company_id, BUYS | {manual.SET, manual.BELOW_FLOOR})
        with _As(self.app, replace(actor, on_behalf_of=self.people[self.requester])):
            for position, line in enumerate(lines, 1):
                if line["price"] != line["list"]:
                    manual.set_in_cart(position, ManualTerms(price=line["price"], reason="agreed"))

    # -- who acts ----------------------------------------------------------------------------------------------------

    @property
    def company_id(self) -> int:
        """The company for which is ordered."""
        return self.home[self.requester]

    def acting(self, who: str) -> Any:
        """Act as a person of the case."""
        return _As(self.app, self._actor(self.people[who], self.home[who], DECIDES))

    def as_admin(self, company_id: int) -> Any:
        """Act as whoever sets the rules of a company."""
        return _As(self.app, self._actor(None, company_id, ADMINISTERS))

    def _actor(self, user_id: int | None, company_id: int, permissions: frozenset[str]) -> Actor:
        above, at = [company_id], db.session.get(Company, company_id)
        while at is not None and at.parent_id is not None:
            above.append(at.parent_id)
            at = db.session.get(Company, at.parent_id)
        scope = Scope("companies", (company_id,), (company_id,), tuple(above))
        return Actor(user_id, "somebody", scope, company_id, None, permissions)

    # -- what is done ------------------------------------------------------------------------------------------------

    def bring_to(self, state: str) -> None:
        """Ask for approval, and let people decide, as far as ``state``."""
        if state == "new":
            return
        assert self.do({"do": "request", "by": self.requester}) == "ok", self.rejected
        if state == "rejected":
            assert self.do({"do": "reject", "by": self._eligible()[0], "comment": "no"}) == "ok", self.rejected
        while state == "approved" and self._row().state == "submitted" and self.flow.state == flows.WAITING:
            assert self.do({"do": "approve", "by": self._eligible()[0]}) == "ok", self.rejected

    def do(self, step: Mapping[str, Any]) -> str:
        """Do a step; return its outcome in the words of the cases."""
        try:
            return str(getattr(self, f"_{step['do']}")(step))
        except TukkuError as error:
            self.rejected = str(error.message)
            barred = BARRED in {found["code"] for found in (error.details or {}).get("findings", ())}
            return "forbidden" if error.status == 403 or barred else "refuse"

    def _request(self, step: Mapping[str, Any]) -> str:
        """Ask for approval; what was rejected is ordered again from the cart."""
        if self.number and self.state == flows.REJECTED:
            self._restart(step)
        if self.number or self.plan.needed or self.plan.denied_by:
            return "refuse" if self.number else self._submit(step)
        self._lets_ask(step.get("expect", {}).get("outcome") not in ("refuse", "forbidden"))
        self._ask(step.get("to") or self.order.get("assigned_to"))
        return self._submit(step)

    def _lets_ask(self, lets: bool) -> None:
        """Let the company's policy be one that lets people ask for what nothing requires, or not, as systems differ."""
        with self.as_admin(self.top):
            self._set_policy(voluntary=lets)

    def _ask(self, to: str | None) -> None:
        """Ask somebody, by default anybody, to approve the cart; TukkuError where that is not possible."""
        code = db.session.get_one(User, self.people[to]).code if to else voluntary.ANYBODY
        with self.acting(self.requester), write():
            voluntary.ask(self._cart(), code)

    def _cart(self) -> Order:
        order = cart.current_cart()
        assert order is not None
        return order

    def _submit(self, step: Mapping[str, Any]) -> str:
        to = step.get("to") or self.order.get("assigned_to")
        if self.number or (step.get("to") and to not in self._eligible()):
            return "refuse"
        with self.acting(self.requester):
            page = pages.cart_page(Stage.SUBMIT)
            asked = placing.Placement(
                page.priced.totals.gross, cart_key=page.order.client_reference, seen=pages.read_seen(page.seen)
            )
            self.number = placing.place(asked).order.number or ""
            if to and self._approval() and self._eligible() != [to]:
                asking.assign(self.number, db.session.get_one(User, self.people[to]).code)
        self.submitted = step["do"] == "submit"
        self.ordered = self._row().state == "confirmed"
        return "ok"

    def _review(self, step: Mapping[str, Any]) -> str:
        with self.acting(step["by"]):
            asking.review(self.number)
        return "ok"

    def _view(self, step: Mapping[str, Any]) -> str:
        """Look at the order that waits: as who asked for it, as who is asked, or among all orders of the company."""
        with self.acting(step["by"]):
            inbox.forget()  # the whole case is one request to the app
            found = inbox.tabs()
            return "ok" if "all" in found or any(tab.count for tab in found.values()) else "forbidden"

    def _order(self, step: Mapping[str, Any]) -> str:
        """Complete the order; whoever may decide all that is asked approves it in the same breath."""
        who = step.get("by", self.requester)
        if not self.number:
            goes = self.policy.get("own_tier") == "allowed" and who != self.requester and self._decides_all(who)
            if self.plan.needed and not goes:
                return "refuse"
            self._submit(step)
            while goes and self.flow.state == flows.WAITING:
                self._decide({"by": who}, flows.APPROVED)
        self.ordered = self._row().state == "confirmed"
        return "ok" if self.ordered else "refuse"

    def _decides_all(self, who: str) -> bool:
        asked = self.plan.requirements
        return all(str(self.people[who]) in r.people and (r.need == 1 or len(r.people) == 1) for r in asked)

    def _approve(self, step: Mapping[str, Any]) -> str:
        return self._decide(step, flows.APPROVED)

    def _reject(self, step: Mapping[str, Any]) -> str:
        return self._decide(step, flows.REJECTED)

    def _decide(self, step: Mapping[str, Any], outcome: str) -> str:
        if not self.number:
            return "refuse"
        comment = step.get("comment", "not this time" if outcome == flows.REJECTED else "")
        with self.acting(step["by"]):
            deciding.decide(self.number, deciding.Said(outcome, self._row().digest, comment))
        return "ok"

    def _restart(self, step: Mapping[str, Any]) -> str:
        """Give the order up, if it is not over, and put its lines into the cart again."""
        with self.acting(self.requester):
            if self._row().state == "submitted":
                lifecycle.cancel(self.number, "again")
            again = [line for line in reorder.review(self.number) if line.article]
            cart.add([NewItem(line.article.sku, line.quantity or Decimal(1)) for line in again if line.article])
        self.number, self.submitted, self.ordered = "", False, False
        return "ok"

    def _edit(self, step: Mapping[str, Any]) -> str:
        """Try to change what was ordered as a cart is changed; what was rejected is ordered again from the cart.

        Fields of an order that waits are its references; those that the policy lists are the ones that it leaves free.
        """
        if self.number and self.state == flows.REJECTED:
            self._restart(step)
        if self.number and step.get("change", "items").endswith("field"):
            field = "wished_date" if step["change"] == "other_field" else "po_number"
            with self.acting(step.get("by", self.requester)):
                deciding.change_references(self.number, {field: "PO-2"}, self._row().digest)
            return "ok"
        before = self._row().digest if self.number else ""
        with self.acting(step.get("by", self.requester)):
            for quantity in (2, 1):  # and back: what it is about is whether it may be changed
                cart.change({1: Decimal(quantity)})
                if self.number and self._row().digest == before:
                    return "refuse"
        return "ok"

    def _raise_prices(self, step: Mapping[str, Any]) -> str:
        with write() as session:
            mine = select(ListPrice).join(Product, Product.id == ListPrice.product_id)
            for row in session.scalars(mine.where(Product.sku.startswith(f"{self.key}-"))):
                row.price = (row.price * (100 + number(step["percent"])) / 100).quantize(Decimal("0.01"))
        return "ok"

    def _set_roles(self, step: Mapping[str, Any]) -> str:
        self.roles[step["person"]] = list(step["roles"])
        self._fill_groups()
        return "ok"

    # -- what the product says ---------------------------------------------------------------------------------------

    def _row(self) -> Order:
        db.session.expire_all()
        return queries.find(self.number)

    @property
    def plan(self) -> Plan:
        """Who must approve: the placed order, or else the cart."""
        if self.number:
            return self.flow.plan if self._approval() else Plan()
        with self.acting(self.requester):
            order = cart.current_cart()
            assert order is not None
            return services.plan_of(stored_draft(order, queries.lines_of(order.id)))

    @property
    def flow(self) -> Flow:
        """Where the approval stands, or would stand when asked for."""
        if self.number and self._approval():
            with self.app.test_request_context("/"):
                return services.pending(self.number).flow
        return Flow(str(self.people[self.requester]), self.plan, self._engine_policy())

    def _engine_policy(self) -> Any:
        with self.acting(self.requester):
            return services.company_for(self.company_id, self.order.get("currency", "EUR")).policy

    def _approval(self) -> Any:
        return db.session.scalar(select(services.Approval).where(services.Approval.order_id == self._row().id))

    @property
    def state(self) -> str:
        """The state in the words of the cases: an order on account is placed by its last approval."""
        if not self.number:
            return "new"
        state = self._row().state
        if state == "submitted":
            return "under_review" if self._approval() and self._approval().reviewer_id else "waiting"
        if state == "confirmed":
            return "ordered" if self.ordered or self.order.get("payment") == "account" else "approved"
        return str(state)

    @property
    def placed(self) -> bool:
        """Whether the order is placed: whoever only asked for an approval still has to say so."""
        return self.state == "ordered" or (self.submitted and self.state == "approved")

    def _stops(self) -> list[str]:
        """Return what keeps the cart from being ordered, approved or not."""
        if self.number:
            return []
        with self.acting(self.requester):
            order = cart.current_cart()
            assert order is not None
            found = reasons.findings(stored_draft(order, queries.lines_of(order.id)))
        return [finding.code for finding in found if finding.level == "block"]

    def _eligible(self) -> list[str]:
        if self.number and self._row().state != "submitted":
            return []
        return sorted(self.names[p] for p in self.flow.eligible() if p != SELLER)

    def found(self, name: str, outcome: str, wanted: Any = None) -> Any:
        """Return what the product says for a key of ``expect``."""
        match name:
            case "outcome":
                return outcome
            case "state" | "placed":
                return getattr(self, name)
            case "approval_needed":
                return self.plan.needed
            case "required":
                asked = (r.people for r in self.plan.requirements if r.need == len(r.people))
                return sorted({self.names[p] for people in asked for p in people if p != SELLER})
            case "eligible":
                return self._eligible()
            case "deciding_rules":
                return sorted(self.rule_ids[rule] for rule in self.plan.rules if rule in self.rule_ids)
            case "approvals_needed":
                return self.flow.decisions_needed()
            case "approvals_open":
                waits = self.number and self._row().state == "submitted"
                able = set(self.flow.eligible())
                asked = self.flow.open() if waits else ()
                return sum(len(able.intersection(r.people)) if r.need == len(r.people) else 1 for r in asked)
            case "left_todo":
                return sum(self._todo(who) for who in self.people)
            case "can_order":
                able = all(r.people != (SELLER,) for r in self.plan.requirements)  # staff release; they approve nothing
                return able and not self._stops() and self.state != "rejected"
            case "can_order_now":
                return self._row().state == "confirmed" if self.number else not self.plan.needed and not self.plan.denied_by
            case "can_request":
                return self._can_request(wanted=wanted)
            case "total":
                return self._draft().without_tax
            case "average_discount_percent":
                with self.app.test_request_context("/"):
                    return Decimal(figures.of_drafts([self._draft()], {"discount"})[0]["discount"])
            case "history":
                return [{"by": d["by"], "did": d["state"], "comment": d["comment"]} for d in self._decisions()]
            case "comment_shown":
                return self._shown()
            case "approvals":
                open_ones = self._eligible() if self.number else []
                return [*self._decisions(), *({"by": who, "state": "open"} for who in open_ones)]
        raise Unsupported(f"the figure {name}")

    def _can_request(self, *, wanted: Any) -> bool:
        """Tell whether the requester may ask; what was rejected is asked for again from the cart."""
        if self.number and self.state != flows.REJECTED:
            return False
        if not self.plan.needed and not self.plan.denied_by:
            self._lets_ask(bool(wanted))
            with self.acting(self.requester):
                return bool(voluntary.choices(self._cart()))
        able = all(r.people != (SELLER,) for r in self.plan.requirements)  # there is somebody to ask
        return self.plan.needed and able and not self._stops()

    def _todo(self, who: str) -> int:
        with self.acting(who):
            inbox.forget()  # the whole case is one request to the app
            found = inbox.tabs()
            return sum(found[name].count or 0 for name in ("mine", "instead") if name in found)

    def _draft(self) -> OrderDraft:
        """The order, or else the cart at the prices of now, as rules see it."""
        if self.number:
            row = self._row()
            return stored_draft(row, queries.lines_of(row.id))
        with self.acting(self.requester):
            page = pages.cart_page(Stage.CART)
            return draft_of(page.order, queries.lines_of(page.order.id), page.priced)

    def _decisions(self) -> list[dict[str, str]]:
        approval = self._approval() if self.number else None
        rows = services.decisions_of([approval.id]) if approval else []
        return [{"by": self.names[str(d.user_id)], "state": d.outcome, "comment": d.comment} for d in rows]

    def _shown(self) -> str:
        """The last comment as the timeline of the order shows it."""
        if not self.number or not self._approval():
            return ""
        with self.app.test_request_context("/"):
            notes = [event["note"] for event in story.of(services.pending(self.number)) if event["note"]]
        return str(notes[-1]) if notes else ""


class _As:
    """Act as somebody in a request of their own."""

    def __init__(self, app: Flask, actor: Actor) -> None:
        self.request, self.actor = app.test_request_context("/"), acting(actor)

    def __enter__(self) -> None:
        self.request.__enter__()
        self.actor.__enter__()

    def __exit__(self, *error: Any) -> None:
        self.actor.__exit__(*error)
        self.request.__exit__(*error)
