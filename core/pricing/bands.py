"""A price made of the prices of several quantity breaks: in words, and as a line of an order keeps it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from core.i18n import _
from core.pricing.money import round_to
from core.spec.pricing import Band
from core.ui import formats

#: An average is shown with so many decimals at most.
SHOWN = 4


def bands_text(bands: Sequence[Band], currency: str, unit: str) -> str:
    """Return the parts in words, "10 pcs at 8.00 €, 5 pcs at 6.50 €; on average 7.50 € / pcs"; '' where there are none."""
    if not bands:
        return ""
    parts = ", ".join(
        _("%(quantity)s at %(price)s", quantity=formats.qty(band.quantity, unit), price=_price_of(band, currency, unit))
        for band in bands
    )
    whole = sum((band.quantity * band.price / band.per for band in bands), Decimal(0))
    mean = round_to(whole / sum(band.quantity for band in bands), SHOWN)
    return _(
        "%(parts)s; on average %(price)s / %(unit)s",
        parts=parts,
        price=formats.price(mean.normalize(), currency),
        unit=formats.unit_name(unit),
    )


def stored(bands: Sequence[Band]) -> list[dict[str, str]] | None:
    """Return the parts as a line of an order keeps them: figures as text; None where there are none."""
    return [{name: formats.plain(value) for name, value in band._asdict().items()} for band in bands] or None


def read(kept: Sequence[Mapping[str, Any]] | None) -> tuple[Band, ...]:
    """Return the parts that a line keeps."""
    return tuple(Band(*(Decimal(one[name]) for name in Band._fields)) for one in kept or ())


def _price_of(band: Band, currency: str, unit: str) -> str:
    price = formats.price(band.price, currency)
    return price if band.per == 1 else f"{price} / {formats.per_unit(band.per, unit)}"
