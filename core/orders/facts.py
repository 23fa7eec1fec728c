"""Figures of orders that rules ask about: which there are, and their values for many orders at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from core.registry.registry import HookFailed, registry
from core.spec.orders import OrderDraft, OrderFact


def order_facts() -> Mapping[str, OrderFact]:
    """Return the figures by name ("addon.key"), sorted as they are shown."""
    return {f"{found.owner}.{found.value.key}": found.value for found in registry().contributions("order_facts")}


def load_facts(names: Collection[str], drafts: Sequence[OrderDraft]) -> list[dict[str, Any]]:
    """Return the values of the named figures, a mapping for each draft; names that no addon gives are left out.

    HookFailed where an addon could not say: what depends on it must not go on without.
    """
    values: list[dict[str, Any]] = [{} for _draft in drafts]
    for found in registry().contributions("order_facts") if drafts else ():
        name = f"{found.owner}.{found.value.key}"
        if name not in names:
            continue
        answer = registry().attempt(found.owner, "order_facts", found.value.load, drafts)
        if answer.failed or answer.value is None or len(answer.value) != len(drafts):
            raise HookFailed(found.owner, "order_facts")
        for mine, value in zip(values, answer.value, strict=True):
            mine[name] = value
    return values
