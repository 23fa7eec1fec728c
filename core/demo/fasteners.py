"""Screws, bolts, nuts, washers and rods from the ISO and DIN dimension tables (millimetres)."""

from collections.abc import Iterator
from dataclasses import dataclass

from core.demo.articles import PI, Article, D, Package, kilograms, number, packs, ring, rounded
from core.demo.dimensions import (
    COUNTERSUNK,
    HEX_HEAD,
    HEX_NUT,
    LARGE_WASHER,
    LENGTHS,
    LOCK_NUT,
    PITCH,
    SOCKET_HEAD,
    WASHER,
)


@dataclass(frozen=True, slots=True)
class Grade:
    """A strength class with its material and surface, and what it costs in EUR per kilogram."""

    code: str
    strength: str
    material: str
    surface: str
    surface_en: str
    surface_fi: str
    eur_per_kg: D

    @property
    def label(self) -> tuple[str, str]:
        """The words that end an article's name, in English and Finnish."""
        return f"{self.strength} {self.surface_en}".strip(), f"{self.strength} {self.surface_fi}".strip()


ZINC = Grade("8.8-ZN", "8.8", "Steel", "Zinc plated", "zinc plated", "sinkitty", D("4.2"))
HDG = Grade("8.8-HDG", "8.8", "Steel", "Hot-dip galvanised", "hot-dip galvanised", "kuumasinkitty", D("5.6"))
TEN_NINE = Grade("10.9", "10.9", "Steel", "Plain", "plain", "musta", D("5.1"))
TWELVE_NINE = Grade("12.9", "12.9", "Steel", "Plain", "plain", "musta", D("6.4"))
A2 = Grade("A2", "A2-70", "Stainless steel A2", "Plain", "", "", D("9.6"))
A4 = Grade("A4", "A4-80", "Stainless steel A4", "Plain", "", "", D("13.9"))
NUT_ZINC = Grade("8-ZN", "8", "Steel", "Zinc plated", "zinc plated", "sinkitty", D("5.0"))
NUT_HDG = Grade("8-HDG", "8", "Steel", "Hot-dip galvanised", "hot-dip galvanised", "kuumasinkitty", D("6.7"))
NUT_TEN = Grade("10", "10", "Steel", "Plain", "plain", "musta", D("5.9"))
WASHER_ZINC = Grade("200HV-ZN", "200 HV", "Steel", "Zinc plated", "zinc plated", "sinkitty", D("5.4"))
WASHER_HDG = Grade("200HV-HDG", "200 HV", "Steel", "Hot-dip galvanised", "hot-dip galvanised", "kuumasinkitty", D("7.1"))


def per_hundred(weight: D, grade: Grade) -> D:
    """Return EUR per 100 pieces: metal by weight, and the work that a small screw costs as well."""
    return rounded((weight * grade.eur_per_kg + D("0.022")) * 100)


def _common(standard: str, size: int, grade: Grade) -> dict[str, str]:
    return {
        "standard": standard,
        "thread": f"M{size}",
        "pitch": number(PITCH[size]),
        "strength_class": grade.strength,
        "material": grade.material,
        "surface": grade.surface,
    }


def _lengths(size: int, low: int, high: int) -> list[int]:
    return [length for length in LENGTHS if low * size <= length <= high * size]


def _screw(
    kind: tuple[str, str, str, str, str], size: int, length: int, grade: Grade, head: D, own: dict[str, str]
) -> Article:
    """Return one screw; `kind` is standard, category, picture and its names, `head` the head's volume."""
    standard, category, picture, name_en, name_fi = kind
    weight = kilograms(PI / 4 * size * size * length * D("0.85") + head)
    thread = f"M{size}x{length}"
    en, fi = grade.label
    return Article(
        sku=f"{standard.split()[1]}-{grade.code}-{thread.upper()}",
        name_en=f"{name_en} {standard} {thread} {en}".strip(),
        name_fi=f"{name_fi} {standard} {thread} {fi}".strip(),
        text_en=(
            f"{name_en} to {standard}, thread M{size}, length {length} mm, "
            f"{grade.material[0].lower()}{grade.material[1:]}, class {grade.strength}."
        ),
        text_fi=f"{name_fi} {standard}, kierre M{size}, pituus {length} mm, lujuusluokka {grade.strength}.",
        category=category,
        picture=picture,
        price=per_hundred(weight, grade),
        per=100,
        weight=weight,
        attributes={**_common(standard, size, grade), "length": str(length), **own},
        packages=packs(weight, minimum=10 if size < 8 else 1, pallet=40 if size >= 8 else 0),
        maker="Pohjan Pultti",
    )


def hex_screws() -> Iterator[Article]:
    """Yield ISO 4017 (thread to the head) and ISO 4014 (with a shank)."""
    full = ("ISO 4017", "hex-full", "hex-bolt", "Hexagon head screw", "Kuusioruuvi")
    shank = ("ISO 4014", "hex-part", "hex-bolt-shank", "Hexagon head bolt", "Kuusioruuvi osakierre")
    for size, (flats, height) in HEX_HEAD.items():
        head = D("0.866") * flats * flats * D(height)
        own = {"wrench_size": str(flats), "head_height": height}
        for length in _lengths(size, 2, 10) if size <= 24 else ():
            for grade in (
                ZINC,
                A2,
                *((A4,) if length % 10 == 0 else ()),
                *((TEN_NINE,) if size >= 8 else ()),
            ):
                yield _screw(full, size, length, grade, head, own)
        for length in _lengths(size, 4, 12) if size >= 8 else ():
            for grade in (ZINC, HDG, *((A4,) if size <= 20 else ())):
                yield _screw(shank, size, length, grade, head, own)


def socket_screws() -> Iterator[Article]:
    """Yield ISO 4762 (cylinder head) and ISO 10642 (countersunk)."""
    cylinder = (
        "ISO 4762",
        "socket-head",
        "socket-head",
        "Hexagon socket head cap screw",
        "Lieriökantaruuvi kuusiokolo",
    )
    sunk = (
        "ISO 10642",
        "countersunk",
        "countersunk",
        "Hexagon socket countersunk screw",
        "Uppokantaruuvi kuusiokolo",
    )
    for size, (diameter, key) in SOCKET_HEAD.items():
        own = {"head_diameter": diameter, "key_size": key, "head_height": str(size)}
        for length in _lengths(size, 2, 8):
            for grade in (TWELVE_NINE, ZINC, A2):
                yield _screw(cylinder, size, length, grade, PI / 4 * D(diameter) ** 2 * size * D("0.8"), own)
    for size, (diameter, height, key) in COUNTERSUNK.items():
        own = {"head_diameter": diameter, "key_size": key, "head_height": height}
        for length in _lengths(size, 2, 6):
            for grade in (TEN_NINE, A2):
                yield _screw(sunk, size, length, grade, PI / 10 * D(diameter) ** 2 * D(height), own)


def nuts() -> Iterator[Article]:
    """Yield ISO 4032 and the lock nuts DIN 985."""
    plain = ("ISO 4032", "hex-nuts", "hex-nut", "Hexagon nut", "Kuusiomutteri")
    lock = ("DIN 985", "lock-nuts", "lock-nut", "Lock nut with nylon insert", "Lukitusmutteri")
    tables = ((plain, HEX_NUT, (NUT_ZINC, NUT_HDG, NUT_TEN, A2, A4)), (lock, LOCK_NUT, (NUT_ZINC, A2, A4)))
    for kind, table, grades in tables:
        for size, (flats, height) in table.items():
            for grade in grades:
                volume = D("0.866") * D(flats) ** 2 * D(height) - PI / 4 * size * size * D(height)
                yield _nut(kind, size, grade, kilograms(volume), {"wrench_size": flats, "height": height})


def _nut(kind: tuple[str, str, str, str, str], size: int, grade: Grade, weight: D, own: dict[str, str]) -> Article:
    standard, category, picture, name_en, name_fi = kind
    en, fi = grade.label
    return Article(
        sku=f"{standard.split()[1]}-{grade.code}-M{size}",
        name_en=f"{name_en} {standard} M{size} {en}".strip(),
        name_fi=f"{name_fi} {standard} M{size} {fi}".strip(),
        text_en=f"{name_en} to {standard}, thread M{size}, {own['wrench_size']} mm across flats.",
        text_fi=f"{name_fi} {standard}, kierre M{size}, avainväli {own['wrench_size']} mm.",
        category=category,
        picture=picture,
        price=per_hundred(weight, grade),
        per=100,
        weight=weight,
        attributes={**_common(standard, size, grade), **own},
        packages=packs(weight, minimum=10 if size < 8 else 1, pallet=60 if size >= 8 else 0),
        maker="Pohjan Pultti",
    )


def washers() -> Iterator[Article]:
    """Yield ISO 7089 and ISO 7093-1; each costs cents, so the price is per piece with four decimals."""
    plain = ("ISO 7089", "flat-washers", "Plain washer", "Aluslevy")
    large = ("ISO 7093-1", "large-washers", "Large washer", "Korialuslevy")
    for (standard, category, name_en, name_fi), table in ((plain, WASHER), (large, LARGE_WASHER)):
        for size, (hole, outer, thickness) in table.items():
            for grade in (WASHER_ZINC, WASHER_HDG, A2, A4):
                weight = kilograms(ring(D(outer), D(hole), D(thickness)))
                en, fi = grade.label if grade.surface_en else (grade.code, grade.code)
                material = {"material": grade.material, "surface": grade.surface}
                yield Article(
                    sku=f"{standard.split()[1].split('-')[0]}-{grade.code}-M{size}",
                    name_en=f"{name_en} {standard} M{size} {en}",
                    name_fi=f"{name_fi} {standard} M{size} {fi}",
                    text_en=f"{name_en} to {standard} for thread M{size}: {hole} x {outer} x {thickness} mm.",
                    text_fi=f"{name_fi} {standard} kierteelle M{size}: {hole} x {outer} x {thickness} mm.",
                    category=category,
                    picture="washer",
                    price=rounded(weight * grade.eur_per_kg + D("0.006"), "0.0001"),
                    weight=weight,
                    attributes={
                        "standard": standard,
                        "thread": f"M{size}",
                        "inner_diameter": hole,
                        "outer_diameter": outer,
                        "thickness": thickness,
                        **material,
                    },
                    packages=packs(weight, minimum=50 if size < 8 else 10),
                    maker="Pohjan Pultti",
                )


def rods() -> Iterator[Article]:
    """Yield threaded rod DIN 976-1 in lengths of one, two and three metres."""
    for size in (5, 6, 8, 10, 12, 16, 20, 24):
        for metres in (1, 2, 3):
            for grade in (ZINC, A2, A4) if metres < 3 else (ZINC,):
                length = metres * 1000
                weight = kilograms(PI / 4 * size * size * length * D("0.82"))
                en, fi = grade.label
                bundle = 25 if size <= 8 else 10
                yield Article(
                    sku=f"976-{grade.code}-M{size}X{length}",
                    name_en=f"Threaded rod DIN 976-1 M{size}x{length} {en}".strip(),
                    name_fi=f"Kierretanko DIN 976-1 M{size}x{length} {fi}".strip(),
                    text_en=f"Threaded rod DIN 976-1, thread M{size}, {metres} m.",
                    text_fi=f"Kierretanko DIN 976-1, kierre M{size}, {metres} m.",
                    category="threaded-rod",
                    picture="threaded-rod",
                    price=rounded(weight * grade.eur_per_kg * D("0.9") + D("0.35")),
                    weight=weight,
                    attributes={**_common("DIN 976-1", size, grade), "length": str(length)},
                    packages=(Package("pcs"), Package("box", bundle)),
                    maker="Pohjan Pultti",
                )


def replaced(articles: list[Article]) -> Iterator[Article]:
    """Yield a few articles of the withdrawn DIN standards that the ISO ones have replaced."""
    old = {"ISO 4017": "DIN 933", "ISO 4762": "DIN 912", "ISO 4032": "DIN 934", "ISO 7089": "DIN 125"}
    sizes = {"M8", "M10", "M12"}
    for article in articles:
        attributes = article.attributes
        label = old.get(attributes["standard"])
        if label and attributes["thread"] in sizes and attributes.get("length", "40") == "40" and "-ZN-" in article.sku:
            tail = article.sku.split("-", 1)[1]
            yield article.succeeded(f"{label.split()[1]}-{tail}", label)


def fasteners() -> list[Article]:
    """Return every fastener of the assortment."""
    current = [*hex_screws(), *socket_screws(), *nuts(), *washers(), *rods()]
    return current + list(replaced(current))
