"""Contracts whose formulas compute from each other must not come round to where they began."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select

from core.api.data import db

from .formulas import CONTRACT
from .models import Contract, ContractPrice

Edges = dict[str, set[str]]


def base_of(values: Mapping[str, object]) -> str:
    """Return the code of the contract that a row's formula computes from, '' for none."""
    terms = values.get("terms")
    base = str(terms.get("base", "")) if isinstance(terms, dict) else ""
    return base.removeprefix(CONTRACT) if base.startswith(CONTRACT) else ""


def edges() -> Edges:
    """Return for each contract the codes of those that its rows compute from; one statement."""
    query = (
        select(Contract.code, ContractPrice.terms)
        .join(Contract, Contract.id == ContractPrice.contract_id)
        .where(ContractPrice.kind == "formula", ContractPrice.terms.is_not(None))
    )
    found: Edges = {}
    for code, terms in db.session.execute(query):
        if base := base_of({"terms": terms}):
            found.setdefault(code, set()).add(base)
    return found


def way_back(found: Edges, start: str, base: str) -> tuple[str, ...]:
    """Return the contracts by which ``start``, computed from ``base``, would come back to itself; empty if it does not."""
    todo: list[tuple[str, ...]] = [(start, base)]
    seen: set[str] = set()
    while todo:
        way = todo.pop()
        if way[-1] == start:
            return way
        if way[-1] not in seen:
            seen.add(way[-1])
            todo += [(*way, following) for following in sorted(found.get(way[-1], ()))]
    return ()
