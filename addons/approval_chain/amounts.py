"""Who reads amounts: what an order costs, limits, budgets and the amounts of rules. One rule for pages, files and notices.

Who may not see prices reads none of them: sentences say the same without, tables and files leave them out. Nor are they
asked to decide (``loading.people_from``), for nobody decides on money unseen. What people typed stands as it was typed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from core.api.companies import holders
from core.api.pricing import SEE_PRICES, may_see

#: Whether whom a notice is for may see prices, while it is written; None: whoever acts is who reads.
_TOLD: ContextVar[bool | None] = ContextVar("approval_chain_told", default=None)


def shown() -> bool:
    """Tell whether whoever reads what is being written may see amounts."""
    told = _TOLD.get()
    return may_see() if told is None else told


@contextmanager
def told_to(user_id: int, company_id: int) -> Iterator[None]:
    """Write for a person of the company, or of one above it, whoever acts: what they are told is what they may read."""
    before = _TOLD.set(bool(holders(SEE_PRICES, company_id, [user_id])))
    try:
        yield
    finally:
        _TOLD.reset(before)
