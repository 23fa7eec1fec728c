"""The life of one approval: pure, kept by services.py. Tiers decide one after the other; one rejection ends it."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.api.hooks import Conflict, Forbidden, Invalid
from core.api.i18n import translations

from .engine import Plan, Policy, Requirement

_, _l, ngettext, _p = translations(__name__)

APPROVED, REJECTED, WAITING = "approved", "rejected", "waiting"


@dataclass(frozen=True, slots=True)
class Decision:
    """What one person said at one tier."""

    by: str
    outcome: str
    tier: int
    comment: str = ""


@dataclass(slots=True)
class Flow:
    """A plan and what people decided on it."""

    requester: str
    plan: Plan
    policy: Policy = field(default_factory=Policy)
    decisions: list[Decision] = field(default_factory=list)

    @property
    def state(self) -> str:
        """Where the approval stands."""
        if any(d.outcome == REJECTED for d in self.decisions):
            return REJECTED
        return WAITING if any(self._missing(r) for r in self.plan.requirements) else APPROVED

    @property
    def tier(self) -> int | None:
        """The tier whose turn it is; None when all is decided."""
        if self.state != WAITING:
            return None
        return min(r.tier for r in self.plan.requirements if self._missing(r))

    def open(self) -> list[Requirement]:
        """Return what the present tier still asks for."""
        tier = self.tier
        return [r for r in self.plan.requirements if r.tier == tier and self._missing(r)]

    def eligible(self) -> list[str]:
        """Return who may decide now, each once."""
        given = {r: self._given(r) for r in self.open()}
        return list(dict.fromkeys(p for r, done in given.items() for p in r.people if p not in done))

    @property
    def locked(self) -> bool:
        """Whether the order must stay as it is: people look at it, or have decided on exactly this."""
        return self.state in (WAITING, APPROVED)

    def refresh(self, plan: Plan) -> None:
        """Take who may decide from ``plan``, which is of now: people leave and roles change while an order waits.

        Where nobody is needed any more the requester goes ahead by approving their own order.
        """
        if self.state != WAITING:
            return
        if not plan.needed and not plan.denied_by:
            plan = Plan((Requirement(1, (self.requester,), 1),))
        self.plan = plan

    def decisions_needed(self) -> int:
        """Return how many acts are still to come, as few as suffice; a person who fills several places acts once."""
        left = [r for r in self.plan.requirements if self.state == WAITING and self._missing(r)]
        groups = [left] if self.policy.once else [[r for r in left if r.tier == t] for t in {r.tier for r in left}]
        return sum(self._fewest(group) for group in groups)

    def decide(self, by: str, outcome: str, comment: str = "") -> Decision | None:
        """Take a decision; None where the person has said the same already. Conflict when it is too late."""
        same = [d for d in self.decisions if d.by == by and d.outcome == outcome]
        if same and by not in self.eligible():
            return None
        if self.state != WAITING:
            raise Conflict("APPROVAL-DECIDED", _("This order has been decided on meanwhile; reload the page."))
        if by not in self.eligible():
            raise Forbidden("APPROVAL-NOT-YOURS", _("You are not among those who decide on this order now."))
        if outcome == REJECTED and not comment.strip():
            raise Invalid(
                "APPROVAL-COMMENT",
                _("Say why you reject the order; the person who ordered reads it."),
                details={"field": "comment"},
            )
        made = Decision(by, outcome, self.tier or 1, comment.strip())
        self.decisions.append(made)
        return made

    def _given(self, asked: Requirement) -> set[str]:
        return {
            d.by
            for d in self.decisions
            if d.outcome == APPROVED and d.by in asked.people and (self.policy.once or d.tier == asked.tier)
        }

    def _missing(self, asked: Requirement) -> int:
        return max(0, asked.need - len(self._given(asked)))

    def _fewest(self, group: list[Requirement]) -> int:
        """Count acts: those whom nothing can replace first, then what they do not cover."""
        certain = {p for r in group if r.need >= len(r.people) for p in r.people if p not in self._given(r)}
        rest = [r for r in group if r.need < len(r.people)]
        return len(certain) + sum(max(0, self._missing(r) - len(certain & set(r.people))) for r in rest)
