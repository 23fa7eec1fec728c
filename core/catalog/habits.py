"""What the reader's company has bought before, which core.orders answers, so that the catalogue offers it first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from flask import current_app
from sqlalchemy import Select

_HABITS = "tukku.habits"


@dataclass(frozen=True, slots=True)
class Habit:
    """A product that the company has ordered ``times`` times, last at ``last``."""

    product_id: int
    times: int
    last: datetime


class Habits(Protocol):
    """What core.orders answers."""

    def among(self, products: Select[Any], most: int) -> Sequence[Habit]:
        """Return what the actor's company ordered most often among ``products``, a SELECT of ids; one statement at most."""


def use_habits(app: Any, habits: Habits) -> None:
    """Let ``habits`` answer in ``app``."""
    app.extensions[_HABITS] = habits


def among(products: Select[Any], most: int) -> Sequence[Habit]:
    """Return what the actor's company ordered most often among ``products``; nothing where nobody answers."""
    habits: Habits | None = current_app.extensions.get(_HABITS)
    return habits.among(products, most) if habits is not None and most else ()
