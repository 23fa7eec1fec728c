"""What one article of the demo assortment is, and the arithmetic that the families share."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal

D = Decimal  # short, because the tables are full of it
PI = D("3.14159265")
STEEL = D("0.00000785")  # kg per cubic millimetre


@dataclass(frozen=True, slots=True)
class Package:
    """One sales unit: `factor` base units, quantities from `minimum` in steps of `step`."""

    unit: str
    factor: int = 1
    precision: int = 0
    minimum: Decimal = Decimal(1)
    step: Decimal = Decimal(1)
    own_price: Decimal | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Article:
    """One article; `price` is EUR net for `per` base units."""

    sku: str
    name_en: str
    name_fi: str
    text_en: str
    text_fi: str
    category: str
    picture: str
    price: Decimal
    weight: Decimal
    attributes: Mapping[str, str]
    per: int = 1
    packages: tuple[Package, ...] = field(default=(Package("pcs"),))
    maker: str = ""
    maker_code: str = ""
    status: str = "active"
    superseded_by: str = ""

    @property
    def base_unit(self) -> str:
        """The first package is the base unit."""
        return self.packages[0].unit

    def succeeded(self, sku: str, label: str) -> "Article":
        """Return the older article that this one has replaced, under its old code and standard."""
        standard = self.attributes["standard"]
        return replace(
            self,
            sku=sku,
            name_en=self.name_en.replace(standard, label),
            name_fi=self.name_fi.replace(standard, label),
            text_en=f"Replaced by {self.sku}.",
            text_fi=f"Korvattu tuotteella {self.sku}.",
            attributes={**self.attributes, "standard": label},
            status="discontinued",
            superseded_by=self.sku,
        )


def rounded(value: Decimal, places: str = "0.01") -> Decimal:
    """Round half up to the precision of `places`, never to zero."""
    return max(value.quantize(Decimal(places), ROUND_HALF_UP), Decimal(places))


def kilograms(cubic_mm: Decimal, density: Decimal = STEEL) -> Decimal:
    """Return the mass of a volume, to a tenth of a gram."""
    return rounded(cubic_mm * density, "0.0001")


def ring(outer: Decimal, inner: Decimal, width: Decimal) -> Decimal:
    """Return the volume of a ring or tube in cubic millimetres."""
    return PI / 4 * (outer * outer - inner * inner) * width


def pack_size(weight: Decimal, limit: Decimal = Decimal(8)) -> int:
    """Return the largest usual package whose contents weigh at most `limit` kilograms."""
    sizes = (1000, 500, 200, 100, 50, 25, 10, 5)
    return next((size for size in sizes if weight * size <= limit), 1)


def packs(weight: Decimal, minimum: int = 1, pallet: int = 0) -> tuple[Package, ...]:
    """Return pieces, the usual box, and a pallet of `pallet` boxes where it is above zero."""
    units = [Package("pcs", minimum=Decimal(minimum), step=Decimal(minimum))]
    size = max(pack_size(weight), minimum)
    if size > 1:
        units.append(Package("box", size))
        if pallet:
            units.append(Package("pallet", size * pallet))
    return tuple(units)


def number(value: Decimal | int | str) -> str:
    """Write a number plainly: no exponent and no trailing zeros."""
    text = f"{Decimal(value):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
