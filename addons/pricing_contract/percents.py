"""Change a contract's fixed prices by a percentage, rounded; all of them, or those that a search finds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from core.api.data import db, write
from core.api.hooks import Conflict, Invalid
from core.api.i18n import translations
from core.api.pricing import decimals_of, minor_digits, round_to
from core.api.ui import percent_text

from . import grid, meanwhile
from .change_rows import KEY, VALUES
from .editing import header
from .meanwhile import Mark
from .models import Contract, ContractPrice
from .saving import Header, Key, Saver, Staged, hold, record

_, _l, ngettext, _p = translations(__name__)
HUNDRED = Decimal(100)
ROUNDINGS: dict[str, Any] = {"half_up": ROUND_HALF_UP, "up": ROUND_CEILING, "down": ROUND_FLOOR}
#: A row of the contract, as columns, and its new value.
Raised = tuple[Any, Decimal]


@dataclass(frozen=True, slots=True)
class Rise:
    """By how many percent prices rise (or, below zero, fall), to a multiple of what they are rounded, and which prices.

    ``step`` None is the currency's smallest unit; ``wanted`` is what the grid searches for, '' for all rows. Invalid for a
    percentage or a step that cannot be.
    """

    percent: Decimal
    step: Decimal | None = None
    rounding: str = "half_up"
    wanted: str = ""

    def __post_init__(self) -> None:
        if not self.percent.is_finite() or not -HUNDRED < self.percent < 1000:
            raise Invalid("CONTRACT-PERCENT", _("Write a percentage above -100 and below 1000."))
        if self.step is not None and self.step <= 0:
            raise Invalid("CONTRACT-STEP", _("The step to round to must be above zero."))

    @property
    def plain(self) -> dict[str, Any]:
        """The values as JSON."""
        step = None if self.step is None else f"{self.step:f}"
        return {"percent": f"{self.percent:f}", "step": step, "rounding": self.rounding, "wanted": self.wanted}

    @classmethod
    def read(cls, plain: Mapping[str, Any]) -> Rise:
        """Return what `plain` wrote."""
        step = plain["step"]
        return cls(Decimal(plain["percent"]), Decimal(step) if step else None, plain["rounding"], plain["wanted"])

    def raised(self, value: Decimal, currency: str) -> Decimal:
        """Return the new value of a price."""
        raised = value * (HUNDRED + self.percent) / HUNDRED
        how = ROUNDINGS[self.rounding]
        if self.step is not None:
            return (raised / self.step).quantize(Decimal(1), how) * self.step
        places = max(minor_digits(currency), decimals_of(value))
        return round_to(raised, places) if self.rounding == "half_up" else raised.quantize(Decimal(1).scaleb(-places), how)


def change_by_percent(
    contract: Contract, rise: Rise, *, apply: bool = False, seen: Mark | None = None, first: int | None = None
) -> list[Raised]:
    """Return every fixed price that would change, with its new value; ``apply`` writes.

    Percents and amounts off stay as they are. Conflict where somebody changed one of the prices since ``seen``, the mark
    of the page that showed them. ``first`` is how many prices are looked at, None for all.
    """
    if not apply:
        return _unmoved(contract, rise, seen, first)
    with write():
        hold(contract.id)
        changed = _unmoved(contract, rise, seen, first)
        if changed:
            head = header(contract)
            saved = Saver([_staged(n, head, *one) for n, one in enumerate(changed)]).save(
                means="percent", note=f"{rise.percent:f}"
            )
            if saved.problems:
                raise Invalid("CONTRACT-PERCENT", next(iter(saved.problems.values())).message)
            record(contract.code, "prices changed by percent", None, {"percent": rise.percent, "rows": len(changed)})
    return changed


def _staged(n: int, head: Header, row: Any, value: Decimal) -> Staged:
    key = (row.product_id, row.category_id, row.unit, row.min_quantity, row.valid_from)
    return Staged(n, head, *key, {"value": value})


def _unmoved(contract: Contract, rise: Rise, seen: Mark | None, first: int | None) -> list[Raised]:
    changed = raised_rows(contract, rise, first=first)
    if seen:
        refuse_moved(((contract.id, *(getattr(row, name) for name in KEY)) for row, _new in changed), seen)  # type: ignore[misc]
    return changed


def raised_rows(
    contract: Contract, rise: Rise, targets: Collection[int] | None = None, first: int | None = None
) -> list[Raised]:
    """Return the fixed prices, for some products or all, that would change, with their new values."""
    columns = [getattr(ContractPrice, name) for name in (*KEY, *VALUES, "product_id", "category_id")]
    query = _fixed(contract, rise, select(*columns))
    if targets is not None:
        query = query.where(ContractPrice.target.in_(targets))
    query = query.order_by(*(getattr(ContractPrice, name) for name in KEY)).limit(first)
    found = ((row, rise.raised(row.value, contract.currency)) for row in db.session.execute(query))
    return [(row, value) for row, value in found if value != row.value]


def title_of(rise: Rise) -> str:
    """Return what a change by a percentage is called."""
    said = percent_text(rise.percent)
    if rise.wanted:
        return _("Fixed prices of “%(wanted)s” changed by %(percent)s", wanted=rise.wanted, percent=said)
    return _("Fixed prices changed by %(percent)s", percent=said)


def count_raised(contract: Contract, rise: Rise) -> int:
    """Return how many prices would change; each value is computed once."""
    query = _fixed(contract, rise, select(ContractPrice.value, func.count())).group_by(ContractPrice.value)
    return sum(count for value, count in db.session.execute(query) if rise.raised(value, contract.currency) != value)


def count_fixed(contract: Contract, rise: Rise | None = None) -> int:
    """Return how many fixed prices the contract has, of those that are meant where there is a ``rise``."""
    return db.session.scalar(_fixed(contract, rise, select(func.count()))) or 0


def fixed_by_contract(contracts: Iterable[Contract]) -> dict[int, int]:
    """Return how many fixed prices each contract has, by its id; nothing for one that has none."""
    here = (ContractPrice.contract_id.in_([one.id for one in contracts]), ContractPrice.kind == "fixed")
    query = select(ContractPrice.contract_id, func.count()).where(*here).group_by(ContractPrice.contract_id)
    return {row[0]: row[1] for row in db.session.execute(query)}


def fixed_targets(contract: Contract, rise: Rise, after: int | None) -> list[int]:
    """Return for what the fixed prices are, in order, those behind one of them."""
    query = _fixed(contract, rise, select(ContractPrice.target)).distinct().order_by(ContractPrice.target)
    behind: list[ColumnElement[bool]] = [] if after is None else [ContractPrice.target > after]
    return list(db.session.scalars(query.where(*behind)))


def _fixed(contract: Contract, rise: Rise | None, columns: Select[Any]) -> Select[Any]:
    return grid.searched(columns, contract, rise.wanted if rise else "").where(ContractPrice.kind == "fixed")


def refuse_moved(keys: Iterable[Key], seen: Mark | None) -> None:
    """Raise Conflict where somebody else changed one of the rows since ``seen``, the mark of the page that showed them."""
    moved = meanwhile.moved(keys, seen) if seen else {}
    if moved:
        said = ngettext(
            "%(count)s price was changed meanwhile by somebody else. Look at the new prices below, then save again.",
            "%(count)s prices were changed meanwhile by somebody else. Look at the new prices below, then save again.",
            len(moved),
        )
        raise Conflict("CONTRACT-CHANGED", said)
