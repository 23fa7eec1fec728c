"""Resources of the REST API, and what addons add to core's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

ApiEntity = Literal["company", "product", "order"]


@dataclass(frozen=True, slots=True)
class ApiResource:
    """Addresses below ``/api/v1/<addon>/<name>`` (core's: ``/api/v1/<name>``), in a flask-smorest blueprint.

    ``core.api.restapi.resource()`` makes the blueprint. Every view declares its permission; core adds the key, the
    limits, idempotency, problem+json and the document.
    """

    name: str
    blueprint: Any
    order: int = 100

    @property
    def key(self) -> str:
        """The resource's name."""
        return self.name


@dataclass(frozen=True, slots=True)
class ApiExtension:
    """Values that appear under ``extensions.<addon>`` of a core resource: ``load(ids) -> {id: plain mapping}``, batched."""

    entity: ApiEntity
    load: Callable[[Sequence[int]], Mapping[int, Mapping[str, Any]]]
    order: int = 100

    @property
    def key(self) -> str:
        """The extended resource: one extension of each for an owner."""
        return self.entity
