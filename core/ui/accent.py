"""The merchant's own accent colour, moved as far as legible text needs on the light and on the dark surface."""

from __future__ import annotations

import re

_HEX = re.compile(r"#?([0-9a-fA-F]{6})")
LIGHT, DARK = (245, 246, 248), (22, 27, 33)
NEEDED = 4.5
RGB = tuple[int, int, int]


def parse(text: str) -> RGB | None:
    """Return the colour in `text` ("#0b6170"), None where it is not one."""
    match = _HEX.fullmatch(text.strip())
    return (int(match[1][:2], 16), int(match[1][2:4], 16), int(match[1][4:], 16)) if match else None


def contrast(one: RGB, other: RGB) -> float:
    """Return the contrast ratio of two colours by WCAG 2."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def legible(colour: RGB, surface: RGB) -> RGB:
    """Return `colour`, mixed with black or white in steps of 4 % until text in it is legible on `surface`."""
    toward = (0, 0, 0) if _luminance(surface) > 0.5 else (255, 255, 255)
    for step in range(26):
        mixed = _mix(colour, toward, step * 0.04)
        if contrast(mixed, surface) >= NEEDED:
            return mixed
    return toward


def stylesheet(text: str) -> str:
    """Return the rules that set the accent, '' where `text` is not a colour."""
    colour = parse(text)
    if colour is None:
        return ""
    light, dark = legible(colour, LIGHT), legible(colour, DARK)
    rules = {
        "--tk-accent": (light, dark),
        "--tk-accent-strong": (_mix(light, (0, 0, 0), 0.25), _mix(dark, (255, 255, 255), 0.25)),
        "--tk-on-accent": ((255, 255, 255), (10, 14, 18)),
        "--tk-accent-soft": (_mix(light, (255, 255, 255), 0.88), _mix(dark, DARK, 0.84)),
    }
    lines = (f"  {name}: light-dark({_css(pair[0])}, {_css(pair[1])});" for name, pair in rules.items())
    return ":root {\n" + "\n".join(lines) + "\n}\n"


def _luminance(colour: RGB) -> float:
    red, green, blue = (c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _mix(colour: RGB, other: RGB, share: float) -> RGB:
    mixed = tuple(round(a + (b - a) * share) for a, b in zip(colour, other, strict=True))
    return mixed[0], mixed[1], mixed[2]


def _css(colour: RGB) -> str:
    return "#" + "".join(f"{part:02x}" for part in colour)
