"""Rolling bearings, housings and retaining rings from ISO 15, ISO 355 and DIN 471/472 (millimetres)."""

from collections.abc import Iterator

from core.demo.articles import Article, D, Package, kilograms, number, pack_size, packs, ring, rounded
from core.demo.dimensions import (
    BORE_RING,
    BORES,
    DEEP_GROOVE,
    O_RING_SECTIONS,
    PILLOW_BLOCK,
    SHAFT_RING,
    TAPER,
)

SEALS = (  # suffix, seal type, words in English and Finnish, factor of the price
    ("", "Open", "open", "avoin", D(1)),
    ("-ZZ", "Metal shields ZZ", "metal shields", "peltisuojat", D("1.08")),
    ("-2RS", "Rubber seals 2RS", "rubber seals", "kumitiivisteet", D("1.14")),
    ("-2RS-C3", "Rubber seals 2RS", "rubber seals, clearance C3", "kumitiivisteet, välys C3", D("1.19")),
)


def deep_groove() -> Iterator[Article]:
    """Yield the deep groove ball bearings 60xx, 62xx and 63xx, open, shielded and sealed."""
    for series, dimensions in DEEP_GROOVE.items():
        for code, (bore, (outer, width)) in enumerate(zip(BORES, dimensions, strict=False)):
            weight = kilograms(ring(D(outer), D(bore), D(width)) * D("0.62"))
            for suffix, seal, en, fi, factor in SEALS:
                name = f"{series}{code:02d}{suffix}"
                size = f"{bore}x{outer}x{width}"
                yield Article(
                    sku=name,
                    name_en=f"Deep groove ball bearing {name} {size} {en}",
                    name_fi=f"Urakuulalaakeri {name} {size} {fi}",
                    text_en=(
                        f"Single row deep groove ball bearing, bore {bore} mm, outside {outer} mm, width {width} mm, {en}."
                    ),
                    text_fi=(
                        f"Yksirivinen urakuulalaakeri, reikä {bore} mm, ulkohalkaisija {outer} mm, leveys {width} mm, {fi}."
                    ),
                    category=f"ball-{series}",
                    picture="ball-bearing",
                    price=rounded((D("2.1") + weight * 19) * factor),
                    weight=weight,
                    attributes={
                        "standard": "ISO 15",
                        "inner_diameter": str(bore),
                        "outer_diameter": str(outer),
                        "width": str(width),
                        "seal": seal,
                        "material": "Bearing steel 100Cr6",
                        "clearance": "C3" if suffix.endswith("C3") else "CN",
                    },
                    packages=(Package("pcs"), Package("box", 10)) if bore <= 50 else (Package("pcs"),),
                    maker="Laakeritehdas Sampo",
                    maker_code=f"S{name.replace('-', '')}",
                )


def taper_rollers() -> Iterator[Article]:
    """Yield the tapered roller bearings 302xx."""
    for name, (bore, outer, width) in TAPER.items():
        weight = kilograms(ring(D(outer), D(bore), D(width)) * D("0.6"))
        yield Article(
            sku=name,
            name_en=f"Tapered roller bearing {name} {bore}x{outer}x{width}",
            name_fi=f"Kartiorullalaakeri {name} {bore}x{outer}x{width}",
            text_en=(
                f"Single row tapered roller bearing with cup and cone, bore {bore} mm, outside {outer} mm, width {width} mm."
            ),
            text_fi=(f"Yksirivinen kartiorullalaakeri, reikä {bore} mm, ulkohalkaisija {outer} mm, leveys {width} mm."),
            category="taper-302",
            picture="taper-bearing",
            price=rounded(D("5.2") + weight * 21),
            weight=weight,
            attributes={
                "standard": "ISO 355",
                "inner_diameter": str(bore),
                "outer_diameter": str(outer),
                "width": width,
                "seal": "Open",
                "material": "Bearing steel 100Cr6",
            },
            maker="Laakeritehdas Sampo",
            maker_code=f"S{name}",
        )


def pillow_blocks() -> Iterator[Article]:
    """Yield the pillow block units UCP, in cast iron and in stainless steel."""
    variants = (
        ("UCP", "Cast iron", "cast iron", "valurauta", D(1)),
        ("SUCP", "Stainless steel A2", "stainless", "ruostumaton", D("3.1")),
    )
    for size, (shaft, height, length, bolts, thread) in PILLOW_BLOCK.items():
        weight = kilograms(D(length) * D(height) * shaft * D("0.72"))
        for prefix, material, en, fi, factor in variants:
            name = f"{prefix}{size}"
            yield Article(
                sku=name,
                name_en=f"Pillow block unit {name}, shaft {shaft} mm, {en}",
                name_fi=f"Pystylaakeriyksikkö {name}, akseli {shaft} mm, {fi}",
                text_en=(
                    f"Pillow block with insert bearing, shaft {shaft} mm, "
                    f"centre height {height} mm, bolts M{thread} {bolts} mm apart."
                ),
                text_fi=(
                    f"Pystylaakeri, akseli {shaft} mm, keskiökorkeus {height} mm, "
                    f"kiinnitysruuvit M{thread}, väli {bolts} mm."
                ),
                category="housings",
                picture="pillow-block",
                price=rounded((D("6.8") + weight * D("7.5")) * factor),
                weight=weight,
                attributes={
                    "standard": "ISO 3228",
                    "inner_diameter": str(shaft),
                    "height": height,
                    "length": str(length),
                    "bolt_distance": str(bolts),
                    "thread": f"M{thread}",
                    "material": material,
                },
                maker="Laakeritehdas Sampo",
                maker_code=f"S{name}",
            )


def retaining_rings() -> Iterator[Article]:
    """Yield the retaining rings for shafts and for bores, priced per piece with four decimals."""
    kinds = (
        (
            "DIN 471",
            "rings-shaft",
            "Retaining ring for shaft",
            "Lukkorengas akselille",
            SHAFT_RING,
            "circlip-shaft",
        ),
        (
            "DIN 472",
            "rings-bore",
            "Retaining ring for bore",
            "Lukkorengas reikään",
            BORE_RING,
            "circlip-bore",
        ),
    )
    steels = (
        ("FST", "Spring steel C75", "jousiteräs", D(1)),
        ("A2", "Stainless steel 1.4122", "ruostumaton", D("3.4")),
    )
    for standard, category, en, fi, table, picture in kinds:
        for size, (thickness, groove) in table.items():
            weight = kilograms(D(size) * D("3.1") * D(thickness) * D(size).sqrt() * D("0.6"))
            for code, material, word, factor in steels:
                yield Article(
                    sku=f"{standard.split()[1]}-{code}-{size}",
                    name_en=f"{en} {standard} {size}x{thickness} {material[0].lower()}{material[1:]}",
                    name_fi=f"{fi} {standard} {size}x{thickness} {word}",
                    text_en=f"{en} {size} mm, thickness {thickness} mm, groove {groove} mm.",
                    text_fi=f"{fi} {size} mm, paksuus {thickness} mm, uran halkaisija {groove} mm.",
                    category=category,
                    picture=picture,
                    price=rounded((D("0.028") + weight * 16) * factor, "0.0001"),
                    weight=weight,
                    attributes={
                        "standard": standard,
                        "nominal_diameter": str(size),
                        "thickness": thickness,
                        "groove_diameter": groove,
                        "material": material,
                    },
                    packages=packs(weight, minimum=5 if size <= 40 else 1),
                    maker="Seeger Nord",
                )


RUBBERS = (  # code, hardness, lowest and highest temperature, EUR per cubic millimetre x 1000
    ("NBR", 70, -30, 100, D("0.055")),
    ("EPDM", 70, -45, 140, D("0.075")),
    ("FKM", 75, -20, 200, D("0.34")),
)


def o_rings() -> Iterator[Article]:
    """Yield the O-rings of ISO 3601-1, three sections in three rubbers."""
    for section, (first, diameters) in O_RING_SECTIONS.items():
        for dash, inner in enumerate(diameters, first):
            outer = D(inner) + 2 * D(section)
            volume = ring(outer, D(inner), D(section)) * D("0.785")
            weight = kilograms(volume, D("0.0000013"))
            for code, hardness, low, high, rate in RUBBERS:
                size = f"{inner}x{section}"
                yield Article(
                    sku=f"OR-{code}{hardness}-{dash:03d}",
                    name_en=f"O-ring ISO 3601 {size} {code} {hardness}",
                    name_fi=f"O-rengas ISO 3601 {size} {code} {hardness}",
                    text_en=(f"O-ring size {dash:03d}, {size} mm, {code} {hardness} Shore A, {low} to +{high} °C."),
                    text_fi=(f"O-rengas koko {dash:03d}, {size} mm, {code} {hardness} Shore A, {low}…+{high} °C."),
                    category="o-rings",
                    picture="o-ring",
                    price=rounded(D("0.021") + volume / 1000 * rate, "0.0001"),
                    weight=weight,
                    attributes={
                        "standard": "ISO 3601",
                        "inner_diameter": inner,
                        "outer_diameter": number(outer),
                        "thickness": section,
                        "material": code,
                        "hardness": str(hardness),
                        "temperature_max": str(high),
                    },
                    packages=(
                        Package("pcs", minimum=D(10), step=D(10)),
                        Package("box", min(pack_size(weight, D(2)), 500)),
                    ),
                    maker="Tiivistepaja Oy",
                )


def bearings_and_seals() -> list[Article]:
    """Return every bearing, ring and O-ring of the assortment."""
    return [*deep_groove(), *taper_rollers(), *pillow_blocks(), *retaining_rings(), *o_rings()]
