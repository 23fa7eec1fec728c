"""Run the steps of the price pipeline over a batch: the one engine behind every price that is shown or charged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from flask import current_app

from core.i18n import _l
from core.pricing.money import round_to
from core.registry.registry import registry
from core.spec.errors import TukkuError
from core.spec.pricing import ManualTerms, PriceBatch, PriceContext, PriceLine, PriceRequest, PriceStage, PriceStep

ROUND_STEP = "round"
#: The owner of core's own steps, whose results need no check.
OWNER = "pricing"
ZERO = Decimal(0)
_EXTENSION = "tukku.price_steps"
_ROUNDED = _l("Rounded to the precision of the price")
_NO_PRICE = _l("There is no price for you yet: ask for a quote.")


class OwnedStep(NamedTuple):
    """A step and who contributed it."""

    owner: str
    step: PriceStep


class StepFailed(TukkuError):
    """A price step failed or broke a rule: no price is better than a wrong one, so the operation is refused."""

    status = 503

    def __init__(self, owned: OwnedStep, what: object) -> None:
        super().__init__(
            "PRICE-STEP-FAILED",
            _l(
                "Prices cannot be given now: the step %(step)s of %(owner)s failed. The administrators have been told.",
                step=owned.step.name, owner=owned.owner,
            ),
            details={"owner": owned.owner, "step": owned.step.name, "what": str(what)},
        )  # fmt: skip


def steps() -> tuple[OwnedStep, ...]:
    """Return the steps of the current app in order: stage, then explicit order, then owner and name."""
    compiled: tuple[OwnedStep, ...] | None = current_app.extensions.get(_EXTENSION)
    if compiled is None:
        found = [OwnedStep(c.owner, c.value) for c in registry().contributions("price_steps")]
        compiled = current_app.extensions[_EXTENSION] = ordered(found)
    return compiled


def titles() -> dict[str, str]:
    """Return what staff call each step, by its name, in the reader's language."""
    return {owned.step.name: str(owned.step.title) for owned in steps() if owned.step.title}


def ordered(found: Iterable[OwnedStep]) -> tuple[OwnedStep, ...]:
    """Return the steps sorted by stage, explicit order, owner, name."""
    return tuple(sorted(found, key=lambda o: (o.step.stage, o.step.order, o.owner, o.step.name)))


def run(
    context: PriceContext,
    requests: Sequence[PriceRequest],
    *,
    explain: bool = False,
    through: Sequence[OwnedStep] | None = None,
    manual: Mapping[str, ManualTerms] | None = None,
    together: bool = False,
    order_id: int | None = None,
) -> PriceBatch:
    """Price the requests, in the order asked. An empty batch asks the database nothing."""
    lines = tuple([PriceLine(*request) for request in requests])
    batch = PriceBatch(context, lines, explain, manual or {}, together, order_id)
    if requests:
        for owned in steps() if through is None else through:
            _run_step(owned, batch)
    if explain:
        for line in batch.lines:
            if line.price is None and not line.reason:
                line.reason = _NO_PRICE
    return batch


def describe(context: PriceContext, requests: Sequence[PriceRequest]) -> PriceBatch:
    """Run only the steps of the stage BASE: lines that know their product, unit and list price."""
    return run(context, requests, through=[owned for owned in steps() if owned.step.stage == PriceStage.BASE])


def go_on(context: PriceContext, lines: Sequence[PriceLine]) -> PriceBatch:
    """Run the steps behind the stage BASE over lines that have been described."""
    batch = PriceBatch(context, tuple(lines))
    if lines:
        for owned in steps():
            if owned.step.stage != PriceStage.BASE:
                _run_step(owned, batch)
    return batch


def _run_step(owned: OwnedStep, batch: PriceBatch) -> None:
    step = owned.step
    try:
        facts = step.prepare(batch) if step.prepare else None
        if facts is None and step.prepare:
            return
        step.apply(batch, facts)
    except TukkuError:
        raise
    except Exception as error:
        registry().incidents.record(owned.owner, "request", "price_steps", error, registry().generation)
        raise StepFailed(owned, error) from error
    if owned.owner == OWNER:
        return
    for line in batch.lines:
        if line.price is not None and not line.price >= ZERO:
            raise StepFailed(owned, f"{line!r} is not a price")


def round_step() -> PriceStep:
    """Return the step that gives computed prices their final precision; stored prices keep their own."""
    return PriceStep(ROUND_STEP, PriceStage.ROUND, _round, title=_l("Rounding"))


def _round(batch: PriceBatch, _facts: None) -> None:
    explain = batch.explain
    for line in batch.lines:
        places, before = line.places, line.price
        if places is None or before is None:
            continue
        line.price = round_to(before, places)
        if explain and line.price != before:
            line.note(ROUND_STEP, before, _ROUNDED)
