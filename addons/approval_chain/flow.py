"""The life of one approval: pure, kept by services.py. Tiers decide one after the other; one rejection ends it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from core.api.hooks import Conflict, Forbidden, Invalid
from core.api.i18n import translations

from .engine import Plan, Policy, Requirement

_, _l, ngettext, _p = translations(__name__)

APPROVED, REJECTED, WAITING, RETURNED = "approved", "rejected", "waiting", "returned"
LONGEST_COMMENT = 2000


@dataclass(frozen=True, slots=True)
class Decision:
    """What one person said at one tier, ``acting`` for ``by`` where they are a substitute.

    ``senior`` settles the tier for everybody. ``asked`` are the requirements ("tier:rule") of the version on which it
    was said; None: of the present one.
    """

    by: str
    outcome: str
    tier: int
    comment: str = ""
    acting: str = ""
    senior: bool = False
    asked: frozenset[str] | None = None

    @property
    def actor(self) -> str:
        """Who pressed the button."""
        return self.acting or self.by


def key_of(asked: Requirement) -> str:
    """Return what identifies a requirement between versions of an order."""
    return f"{asked.tier}:{asked.rule}"


def check_comment(outcome: str, comment: str) -> None:
    """Refuse (Invalid) a decision that says no reason where one is needed, or too long a one."""
    said = {
        REJECTED: _("Say why you reject the order; the person who ordered reads it."),
        RETURNED: _("Say what should be changed; the person who ordered reads it."),
    }
    if outcome in said and not comment.strip():
        raise Invalid("APPROVAL-COMMENT", said[outcome], details={"field": "comment"})
    if len(comment.strip()) > LONGEST_COMMENT:
        text = _("The comment has at most %(count)s characters; shorten it.", count=LONGEST_COMMENT)
        raise Invalid("APPROVAL-COMMENT-LONG", text, details={"field": "comment"})


@dataclass(slots=True)
class Flow:
    """A plan and what people decided on it.

    ``substitutes`` decide in somebody's place; ``seniors`` may settle the present tier alone, it was passed on to them.
    """

    requester: str
    plan: Plan
    policy: Policy = field(default_factory=Policy)
    decisions: list[Decision] = field(default_factory=list)
    substitutes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    seniors: tuple[str, ...] = ()
    #: May decide on every order though nobody asks them; they settle the present tier alone.
    overseers: tuple[str, ...] = ()
    #: By a rule of now the order is not allowed: who is asked may end it or send it back.
    denied: bool = False

    @property
    def state(self) -> str:
        """Where the approval stands."""
        said = {d.outcome for d in self.decisions}
        if REJECTED in said or RETURNED in said:
            return REJECTED if REJECTED in said else RETURNED
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
        """Return who may decide now, each once: those asked, their substitutes, those to whom it was passed on."""
        places = self._places()
        stands = [s for p in places for s in self.substitutes.get(p, ()) if s != self.requester]
        seniors = self.seniors if places else ()
        return list(dict.fromkeys([*places, *stands, *seniors]))

    def able(self) -> list[str]:
        """Return who may decide now: those who are asked, and those who may decide on every order."""
        asked = self.eligible()
        return list(dict.fromkeys([*asked, *(self.overseers if asked else ())]))

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
        """Take a decision; None where the person has said the same already. Conflict when it is too late.

        One act approves in all places that the person fills now: their own, and of those for whom they stand in.
        """
        same = [d for d in self.decisions if d.actor == by and d.outcome == outcome]
        if same and by not in self.able():
            return None
        if self.state != WAITING:
            raise Conflict("APPROVAL-DECIDED", _("This order has been decided on meanwhile; reload the page."))
        if by not in self.able():
            if any(by in r.people for r in self.plan.requirements if r.tier > (self.tier or 0)):
                text = _("It is not your turn yet: others decide on this order first.")
                raise Conflict("APPROVAL-NOT-YET", text)
            raise Forbidden("APPROVAL-NOT-YOURS", _("You are not among those who decide on this order now."))
        check_comment(outcome, comment)
        if self.denied and outcome == APPROVED:
            text = _(
                "A rule of the company does not allow this order any more; reject it, send it back, or change the rule."
            )
            raise Conflict("APPROVAL-DENIED", text)
        place = self.place_of(by)
        # the seller may be asked in its own right and have the turn passed on to it as well: one act settles both
        senior = by in self.seniors or place not in self._places()
        made = Decision(place, outcome, self.tier or 1, comment.strip(), "" if place == by else by, senior)
        others = (
            [p for p in self._places() if p != place and by in self.substitutes.get(p, ())] if outcome == APPROVED else []
        )
        self.decisions += [made, *(replace(made, by=p, acting=by) for p in others)]
        return made

    def place_of(self, who: str) -> str:
        """Return whose place ``who`` fills now: their own first, then that of somebody who is away."""
        places = self._places()
        return next((p for p in places if p == who or who in self.substitutes.get(p, ())), who) if who not in places else who

    def _places(self) -> list[str]:
        given = {r: self._given(r) for r in self.open()}
        return list(dict.fromkeys(p for r, done in given.items() for p in r.people if p not in done))

    def _given(self, asked: Requirement) -> set[str]:
        return {d.by for d in self._approvals(asked)}

    def _approvals(self, asked: Requirement) -> list[Decision]:
        return [
            d
            for d in self.decisions
            if d.outcome == APPROVED and d.by in asked.people and (self.policy.once or d.tier == asked.tier)
            if d.asked is None or key_of(asked) in d.asked
        ]

    def _missing(self, asked: Requirement) -> int:
        if not self.decisions:
            return asked.need
        passed = (d for d in self.decisions if d.senior and d.outcome == APPROVED and d.tier == asked.tier)
        if any(d.asked is None or key_of(asked) in d.asked for d in passed):
            return 0
        given = self._given(asked)
        if asked.need >= len(asked.people):
            return max(0, asked.need - len(given))
        # of several some must decide: whoever fills two places is one of them
        heads = {d.actor for d in self._approvals(asked)}
        return max(0, min(asked.need - len(heads), len(asked.people) - len(given)))

    def _fewest(self, group: list[Requirement]) -> int:
        """Count acts: those whom nothing can replace first, then what they do not cover."""
        certain = {p for r in group if r.need >= len(r.people) for p in r.people if p not in self._given(r)}
        rest = [r for r in group if r.need < len(r.people)]
        return len(certain) + sum(max(0, self._missing(r) - len(certain & set(r.people))) for r in rest)
