"""Run all checkout rules of a stage and collect what they find. A rule that cannot be asked stops the order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.data import audit
from core.data.once import once
from core.i18n import _
from core.orders.draft import stored_draft
from core.orders.models import Order, OrderLine
from core.registry.registry import Contribution, HookFailed, registry
from core.spec.errors import Conflict, Invalid, TukkuError
from core.spec.orders import CheckoutRule, Finding, HoldRequest, HoldType, OrderDraft, Stage

_ORDER = {"block": 0, "warning": 1, "info": 2}


class CheckoutRefused(Invalid):
    """The order cannot be placed (or confirmed) as it is; ``findings`` say everything that stops it, and warnings."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        stops = [f for f in findings if f.level == "block"]
        super().__init__(
            "CHECKOUT-REFUSED",
            " ".join(str(f.message) for f in stops),
            details={"findings": [{"code": f.code, "message": str(f.message), "lines": list(f.lines)} for f in findings]},
        )
        self.findings = tuple(findings)


class OrderingPaused(TukkuError):
    """A critical addon is out by failure: nothing is placed or confirmed until it is back."""

    status = 503

    def __init__(self) -> None:
        super().__init__(
            "ORDERING-PAUSED",
            _(
                "Ordering is paused for a moment because a part of the shop is out of order. "
                "Your cart is kept; please try again later."
            ),
        )


@dataclass(frozen=True, slots=True)
class WantedHold:
    """A hold that an addon wants, and its type."""

    owner: str
    type: HoldType
    request: HoldRequest


def findings(stage: Stage, draft: OrderDraft) -> tuple[Finding, ...]:
    """Return what the rules of ``stage`` find, stops first, each once; HookFailed if a rule could not be asked."""
    found: dict[tuple[str, str, tuple[str, ...]], Finding] = {}
    once(_judged(draft.order_id), lambda: draft)
    for rule in _rules(stage):
        answer = registry().attempt(rule.owner, "checkout_rules", rule.value.check, draft)
        if answer.failed:
            raise HookFailed(rule.owner, "checkout_rules")
        for finding in answer.value or ():
            found.setdefault((finding.code, str(finding.message), finding.lines), finding)
    return tuple(sorted(found.values(), key=lambda f: _ORDER[f.level]))


def judged_draft(order: Order, lines: Sequence[OrderLine]) -> OrderDraft:
    """Return the order as the rules of this page saw it, a cart at the prices of now; as it is stored where none did."""
    return once(_judged(order.id), lambda: stored_draft(order, lines))


def _judged(order_id: int) -> tuple[str, int]:
    return "orders.judged", order_id


def refuse_if_stopped(found: Sequence[Finding]) -> None:
    """Raise CheckoutRefused if one of the findings stops the order."""
    if any(f.level == "block" for f in found):
        raise CheckoutRefused(found)


def wanted_holds(draft: OrderDraft) -> tuple[WantedHold, ...]:
    """Ask every hold type whether it wants the order held; HookFailed if one could not be asked."""
    wanted = []
    for kind in registry().contributions("order_hold_types"):
        answer = registry().attempt(kind.owner, "order_hold_types", kind.value.wanted, draft)
        if answer.failed:
            raise HookFailed(kind.owner, "order_hold_types")
        if answer.value is not None:
            wanted.append(WantedHold(kind.owner, kind.value, answer.value))
    return tuple(wanted)


def checks_in_force() -> list[list[str]]:
    """Return the (owner, check) pairs that an order placed now goes through."""
    rules = [[r.owner, r.value.key] for stage in (Stage.SUBMIT, Stage.COMMIT) for r in _rules(stage)]
    return rules + [[k.owner, f"hold:{k.value.code}"] for k in registry().contributions("order_hold_types")]


def refuse_if_checks_are_missing(number: str, company_id: int, required: Sequence[Sequence[str]]) -> None:
    """Refuse to confirm where a check that the order was placed under is out by failure.

    A check whose addon was disabled by decision is skipped, with an audit row.
    """
    owners = {owner for owner, _check in required}
    gone = sorted(owner for owner in owners if not registry().runs(owner))
    failed = [owner for owner in gone if owner in registry().plan.excluded]
    if failed:
        raise Conflict(
            "CHECK-MISSING",
            _(
                "The order %(number)s cannot be confirmed: the addon %(addon)s, which has to check it, is out of order. "
                "Mend or disable it first.",
                number=number,
                addon=failed[0],
            ),
        )
    for owner in gone:
        checks = ", ".join(check for who, check in required if who == owner)
        audit.record(
            "order",
            number,
            "check skipped",
            company_id=company_id,
            reason=_("The addon is disabled."),
            after={"checks": checks},
            addon=owner,
        )


def refuse_if_paused() -> None:
    """Raise OrderingPaused while a critical addon is out by failure."""
    if registry().degraded:
        raise OrderingPaused


def _rules(stage: Stage) -> list[Contribution[CheckoutRule]]:
    return [rule for rule in registry().contributions("checkout_rules") if rule.value.stage == stage]
