"""Pipes, fittings, valves and gaskets from EN 10242, EN 10255, EN 1254, EN 1057 and EN 1514-1."""

from collections.abc import Iterator
from dataclasses import dataclass

from core.demo.articles import PI, Article, D, Package, kilograms, number, packs, ring, rounded
from core.demo.dimensions import COPPER_PIPE, FLANGE_GASKET, SIZES, STEEL_PIPE

COPPER = D("0.0000089")  # kg per cubic millimetre
PRESS_SIZES = (15, 18, 22, 28, 35, 42, 54)
COMPRESSION_SIZES = (8, 10, 12, 15, 18, 22, 28)


@dataclass(frozen=True, slots=True)
class Shape:
    """One form of fitting: its symbol, category, names, and its weight beside a socket's."""

    code: str
    category: str
    picture: str
    name_en: str
    name_fi: str
    weight: D


MALLEABLE = (
    Shape("A1", "malleable-elbows", "elbow", "Elbow 90° A1", "Kulma 90° A1", D("1.35")),
    Shape("A4", "malleable-elbows", "elbow", "Street elbow 90° A4", "Kulma 90° sisä/ulko A4", D("1.4")),
    Shape("B1", "malleable-tees", "tee", "Tee B1", "T-haara B1", D("1.85")),
    Shape("M2", "malleable-sockets", "socket", "Socket M2", "Muhvi M2", D(1)),
    Shape("N8", "malleable-nipples", "nipple", "Hexagon nipple N8", "Kaksoisnippa N8", D("0.85")),
    Shape("T8", "malleable-ends", "plug", "Plug T8", "Tulppa T8", D("0.55")),
    Shape("T1", "malleable-ends", "cap", "Cap T1", "Hattu T1", D("0.7")),
    Shape("U11", "malleable-unions", "union", "Union U11", "Yhdistäjä U11", D("2.2")),
)
PRESS = (
    Shape("C", "", "socket", "Press coupling", "Puristusmuhvi", D(1)),
    Shape("E90", "", "elbow", "Press elbow 90°", "Puristuskulma 90°", D("1.5")),
    Shape("E45", "", "elbow", "Press elbow 45°", "Puristuskulma 45°", D("1.3")),
    Shape("T", "", "tee", "Press tee", "Puristus-T-haara", D("2.1")),
    Shape("CAP", "", "cap", "Press cap", "Puristushattu", D("0.7")),
)
PRESS_METALS = (  # code, category, material, words, standard, EUR per kg
    ("CU", "press-copper", "Copper CW024A", "copper", "kupari", "EN 1254-7", D(38)),
    ("SS", "press-stainless", "Stainless steel 1.4404", "stainless", "haponkestävä", "EN 10352", D(62)),
    ("CS", "press-carbon", "Carbon steel E195", "zinc plated steel", "sinkitty teräs", "EN 10352", D(21)),
)
COMPRESSION = (
    Shape("S", "", "compression", "Compression coupling", "Puserrusliitin suora", D(1)),
    Shape("E", "", "elbow", "Compression elbow", "Puserruskulma", D("1.2")),
    Shape("T", "", "tee", "Compression tee", "Puserrus-T-haara", D("1.7")),
    Shape("M", "", "compression", "Compression adaptor, male thread", "Puserrusliitin ulkokierre", D("0.9")),
)


def slug(inches: str) -> str:
    """Write a nominal size in inches for a SKU: 1 1/4 becomes 1-1/4."""
    return inches.replace(" ", "-")


def _socket_weight(inches: str) -> D:
    outer = D(SIZES[inches][1])
    return kilograms(ring(outer + 8, outer, outer * D("1.35")) * D("1.1"))


def malleable() -> Iterator[Article]:
    """Yield the threaded fittings of EN 10242, black and galvanised, and their reducers."""
    sizes = list(SIZES)
    for surface, code, en, fi, rate in (
        ("Plain", "BLK", "black", "musta", D(15)),
        ("Hot-dip galvanised", "GLV", "galvanised", "sinkitty", D("19.5")),
    ):
        for inches in sizes:
            for shape in MALLEABLE:
                yield _malleable(shape, inches, "", surface, code, en, fi, rate)
        for larger, smaller in zip(sizes[1:], sizes, strict=False):
            reducing = Shape("M2R", "malleable-reducers", "reducer", "Reducing socket M2", "Supistusmuhvi M2", D("1.05"))
            bush = Shape("N4", "malleable-reducers", "reducer", "Reducing bush N4", "Supistusnippa N4", D("0.6"))
            for shape in (reducing, bush):
                yield _malleable(shape, larger, smaller, surface, code, en, fi, rate)


def _malleable(shape: Shape, inches: str, second: str, surface: str, code: str, en: str, fi: str, rate: D) -> Article:
    weight = rounded(_socket_weight(inches) * shape.weight, "0.001")
    size = f'{inches}" x {second}"' if second else f'{inches}"'
    tail = f"{slug(inches)}X{slug(second)}" if second else slug(inches)
    nominal = SIZES[inches][0]
    return Article(
        sku=f"{shape.code}-{code}-{tail}",
        name_en=f"{shape.name_en} {size} {en} EN 10242",
        name_fi=f"{shape.name_fi} {size} {fi} EN 10242",
        text_en=f"Malleable iron fitting with pipe thread EN 10226, DN {nominal}, {en}, up to 25 bar.",
        text_fi=f"Adusoitu putkenosa, putkikierre EN 10226, DN {nominal}, {fi}, enintään 25 bar.",
        category=shape.category,
        picture=shape.picture,
        price=rounded(D("0.55") + weight * rate),
        weight=weight,
        attributes={
            "standard": "EN 10242",
            "nominal_size": f'{inches}"',
            "dn": str(nominal),
            "connection": "Pipe thread",
            "pressure_class": "PN 25",
            "material": "Malleable iron",
            "surface": surface,
        },
        packages=packs(weight),
        maker="Valimo Tammer",
    )


def press_fittings() -> Iterator[Article]:
    """Yield press fittings in copper, stainless and carbon steel, with reducing couplings."""
    for code, category, material, en, fi, standard, rate in PRESS_METALS:
        for place, size in enumerate(PRESS_SIZES):
            weight = kilograms(ring(D(size) + 3, D(size), D(size) * 2 + 12), COPPER)
            shapes = [(shape, f"{size}") for shape in PRESS]
            if place:
                reducer = Shape("R", "", "reducer", "Press reducer", "Puristussupistus", D("0.95"))
                shapes.append((reducer, f"{size}x{PRESS_SIZES[place - 1]}"))
            for shape, label in shapes:
                mass = rounded(weight * shape.weight, "0.001")
                yield Article(
                    sku=f"PR-{shape.code}-{code}-{label.upper()}",
                    name_en=f"{shape.name_en} {label} mm {en}",
                    name_fi=f"{shape.name_fi} {label} mm {fi}",
                    text_en=f"{shape.name_en} with EPDM seal for pipe {label} mm, {en}, 16 bar, profile M.",
                    text_fi=(f"{shape.name_fi} EPDM-tiivisteellä putkelle {label} mm, {fi}, 16 bar, M-profiili."),
                    category=category,
                    picture=shape.picture,
                    price=rounded(D("1.1") + mass * rate),
                    weight=mass,
                    attributes={
                        "standard": standard,
                        "outer_diameter": str(size),
                        "connection": "Press",
                        "pressure_class": "PN 16",
                        "material": material,
                        "seal": "EPDM",
                        "drinking_water": "no" if code == "CS" else "yes",
                    },
                    packages=(Package("pcs"), Package("box", 10 if size <= 28 else 5)),
                    maker="Puristin Nordic",
                    maker_code=f"PN{code}{shape.code}{label.replace('x', '')}",
                )


def compression_fittings() -> Iterator[Article]:
    """Yield the brass compression fittings of EN 1254-2."""
    for size in COMPRESSION_SIZES:
        weight = kilograms(ring(D(size) + 9, D(size), D(size) + 24), COPPER)
        for shape in COMPRESSION:
            mass = rounded(weight * shape.weight, "0.001")
            yield Article(
                sku=f"CF-{shape.code}-{size}",
                name_en=f"{shape.name_en} {size} mm brass",
                name_fi=f"{shape.name_fi} {size} mm messinki",
                text_en=f"{shape.name_en} EN 1254-2 for copper pipe {size} mm, brass CW617N, 16 bar.",
                text_fi=f"{shape.name_fi} EN 1254-2 kupariputkelle {size} mm, messinki CW617N, 16 bar.",
                category="compression",
                picture=shape.picture,
                price=rounded(D("1.4") + mass * 27),
                weight=mass,
                attributes={
                    "standard": "EN 1254-2",
                    "outer_diameter": str(size),
                    "connection": "Compression",
                    "pressure_class": "PN 16",
                    "material": "Brass CW617N",
                    "drinking_water": "yes",
                },
                packages=(Package("pcs"), Package("box", 20 if size <= 15 else 10)),
                maker="Puristin Nordic",
            )


def _metres(bar: int, bundle: int) -> tuple[Package, ...]:
    return (
        Package("m", precision=2, minimum=D("0.5"), step=D("0.01")),
        Package("pcs", bar),
        Package("pallet", bar * bundle),
    )


def pipes() -> Iterator[Article]:
    """Yield steel pipes EN 10255 and copper pipes EN 1057, sold by the metre and by the whole length."""
    finishes = (
        ("BLK", "Plain", "black", "musta", D("1.75")),
        ("GLV", "Hot-dip galvanised", "galvanised", "sinkitty", D("2.3")),
    )
    for nominal, (outer, medium, heavy, mass) in STEEL_PIPE.items():
        for series, wall in (("M", medium), ("H", heavy)):
            weight = (
                D(mass) if series == "M" else rounded(kilograms(ring(D(outer), D(outer) - 2 * D(wall), D(1000))), "0.01")
            )
            for code, surface, en, fi, rate in finishes:
                yield Article(
                    sku=f"PIPE-{series}-{code}-DN{nominal}",
                    name_en=f"Steel pipe EN 10255 {series} DN {nominal} {outer}x{wall} {en}",
                    name_fi=f"Teräsputki EN 10255 {series} DN {nominal} {outer}x{wall} {fi}",
                    text_en=(
                        f"Welded steel pipe for threading, {outer} x {wall} mm, {number(weight)} kg/m, in lengths of 6 m."
                    ),
                    text_fi=(
                        f"Hitsattu kierteitettävä teräsputki, {outer} x {wall} mm, {number(weight)} kg/m, salkopituus 6 m."
                    ),
                    category="steel-pipes",
                    picture="pipe",
                    price=rounded(weight * rate + D("0.4")),
                    weight=weight,
                    attributes={
                        "standard": "EN 10255",
                        "dn": str(nominal),
                        "outer_diameter": outer,
                        "thickness": wall,
                        "inner_diameter": number(D(outer) - 2 * D(wall)),
                        "material": "Steel S195T",
                        "surface": surface,
                    },
                    packages=_metres(6, 30 if nominal <= 25 else 10),
                    maker="Putkitehdas Kemi",
                )
    for size, wall in COPPER_PIPE.items():
        weight = kilograms(ring(D(size), D(size) - 2 * D(wall), D(1000)), COPPER)
        yield Article(
            sku=f"CU-{size}X{number(wall)}",
            name_en=f"Copper pipe EN 1057 {size}x{wall} hard",
            name_fi=f"Kupariputki EN 1057 {size}x{wall} kova",
            text_en=f"Copper pipe R290, {size} x {wall} mm, in lengths of 5 m.",
            text_fi=f"Kupariputki R290, {size} x {wall} mm, salkopituus 5 m.",
            category="copper-pipes",
            picture="pipe",
            price=rounded(weight * D("13.8") + D("0.6")),
            weight=weight,
            attributes={
                "standard": "EN 1057",
                "outer_diameter": str(size),
                "thickness": wall,
                "inner_diameter": number(D(size) - 2 * D(wall)),
                "material": "Copper CW024A",
                "drinking_water": "yes",
            },
            packages=_metres(5, 20),
            maker="Putkitehdas Kemi",
        )


def ball_valves() -> Iterator[Article]:
    """Yield full bore ball valves in brass (lever or butterfly handle) and stainless steel."""
    variants = (
        ("BR-L", "valves-brass", "Brass CW617N", "brass, lever", "messinki, vipukahva", "PN 40", D(24), D(2)),
        (
            "BR-B",
            "valves-brass",
            "Brass CW617N",
            "brass, butterfly handle",
            "messinki, perhoskahva",
            "PN 40",
            D(23),
            D("1.8"),
        ),
        (
            "SS-L",
            "valves-stainless",
            "Stainless steel 1.4408",
            "stainless, lever",
            "haponkestävä, vipukahva",
            "PN 63",
            D(39),
            D(6),
        ),
    )
    for inches, (nominal, outer) in SIZES.items():
        weight = rounded(kilograms(PI / 4 * D(outer) ** 2 * D(outer) * D("1.35")), "0.001")
        for code, category, material, en, fi, pressure, rate, base in variants:
            if code == "BR-B" and nominal > 25:
                continue
            yield Article(
                sku=f"BV-{code}-{slug(inches)}",
                name_en=f'Ball valve {inches}" {pressure} {en}',
                name_fi=f'Palloventtiili {inches}" {pressure} {fi}',
                text_en=(f"Full bore ball valve with female threads, DN {nominal}, {pressure}, {en}, seats of PTFE."),
                text_fi=(f"Täysaukkoinen palloventtiili, sisäkierre, DN {nominal}, {pressure}, {fi}, PTFE-tiivisteet."),
                category=category,
                picture="ball-valve",
                price=rounded(base + weight * rate),
                weight=weight,
                attributes={
                    "standard": "EN 331",
                    "nominal_size": f'{inches}"',
                    "dn": str(nominal),
                    "connection": "Pipe thread",
                    "pressure_class": pressure,
                    "material": material,
                    "seal": "PTFE",
                    "drinking_water": "yes",
                },
                packages=(Package("pcs"), Package("box", 12 if nominal <= 20 else 6)),
                maker="Venttiili-Vaasa",
                maker_code=f"VV{code.replace('-', '')}{nominal}",
            )


def gaskets() -> Iterator[Article]:
    """Yield flat gaskets for flanges PN 16."""
    sheets = (
        ("FIB", "Aramid fibre", "aramid fibre", "aramidikuitu", D("0.052"), "180"),
        ("EPDM", "EPDM", "EPDM", "EPDM", D("0.044"), "120"),
        ("GR", "Graphite", "graphite", "grafiitti", D("0.096"), "450"),
    )
    for nominal, (inner, outer) in FLANGE_GASKET.items():
        area = ring(D(outer), D(inner), D(1))
        for code, material, en, fi, rate, hottest in sheets:
            yield Article(
                sku=f"FG-{code}-DN{nominal}",
                name_en=f"Flange gasket DN {nominal} PN 16 {en} 2 mm",
                name_fi=f"Laippatiiviste DN {nominal} PN 16 {fi} 2 mm",
                text_en=(f"Flat gasket EN 1514-1 form IBC, {inner} x {outer} x 2 mm, {en}, up to {hottest} °C."),
                text_fi=(f"Tasotiiviste EN 1514-1 muoto IBC, {inner} x {outer} x 2 mm, {fi}, enintään {hottest} °C."),
                category="gaskets",
                picture="gasket",
                price=rounded(D("0.35") + area / 100 * rate),
                weight=kilograms(area * 2, D("0.0000016")),
                attributes={
                    "standard": "EN 1514-1",
                    "dn": str(nominal),
                    "inner_diameter": str(inner),
                    "outer_diameter": str(outer),
                    "thickness": "2",
                    "pressure_class": "PN 16",
                    "material": material,
                    "temperature_max": hottest,
                },
                packages=(Package("pcs"), Package("box", 10)),
                maker="Tiivistepaja Oy",
            )


def piping() -> list[Article]:
    """Return every pipe, fitting, valve and gasket of the assortment."""
    return [*malleable(), *press_fittings(), *compression_fittings(), *pipes(), *ball_valves(), *gaskets()]
