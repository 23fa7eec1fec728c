"""Strokes of a technical drawing: outlines, axes, threads and hatching as SVG elements."""

from collections.abc import Iterable, Sequence
from math import cos, pi, sin

Point = tuple[float, float]

_HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 300" width="400" height="300" '
    'fill="none" stroke-linecap="round" stroke-linejoin="round">'
    '<rect width="400" height="300" fill="#ffffff"/>'
)
_OUTLINE = 'fill="{fill}" stroke="#24384c" stroke-width="3"'
STEEL, LIGHT, DARK, BRASS, RUBBER, NONE = "#dfe6ec", "#f1f5f8", "#b9c6d2", "#ecd9a6", "#4a5561", "none"


def sheet(parts: Iterable[str]) -> str:
    """Return the finished drawing."""
    return _HEAD + "".join(parts) + "</svg>\n"


def _n(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")


def box(x: float, y: float, width: float, height: float, fill: str = STEEL, radius: float = 0) -> str:
    """Outline a rectangle."""
    style = _OUTLINE.format(fill=fill)
    return f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" rx="{_n(radius)}" {style}/>'


def disc(x: float, y: float, radius: float, fill: str = STEEL) -> str:
    """Outline a circle."""
    return f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}" {_OUTLINE.format(fill=fill)}/>'


def shape(points: Sequence[Point], fill: str = STEEL) -> str:
    """Outline a polygon."""
    text = " ".join(f"{_n(x)},{_n(y)}" for x, y in points)
    return f'<polygon points="{text}" {_OUTLINE.format(fill=fill)}/>'


def path(data: str, fill: str = NONE) -> str:
    """Outline a path given in SVG's own notation."""
    return f'<path d="{data}" {_OUTLINE.format(fill=fill)}/>'


def stroke(*points: Point, width: float = 1.6) -> str:
    """Draw a thin line through points."""
    text = " ".join(f"{_n(x)},{_n(y)}" for x, y in points)
    return f'<polyline points="{text}" stroke="#24384c" stroke-width="{width}"/>'


def axis(start: Point, end: Point) -> str:
    """Draw a centre line."""
    return (
        f'<line x1="{_n(start[0])}" y1="{_n(start[1])}" x2="{_n(end[0])}" y2="{_n(end[1])}" '
        'stroke="#7d93a8" stroke-width="1.2" stroke-dasharray="14 4 3 4"/>'
    )


def hexagon(x: float, y: float, radius: float, fill: str = STEEL, turn: float = 0) -> str:
    """Outline a hexagon round a centre; `turn` is in degrees."""
    angles = [turn * pi / 180 + step * pi / 3 for step in range(6)]
    return shape([(x + radius * cos(angle), y + radius * sin(angle)) for angle in angles], fill)


def around(x: float, y: float, radius: float, count: int) -> list[Point]:
    """Return the points of an even division of a circle."""
    return [(x + radius * cos(2 * pi * k / count), y + radius * sin(2 * pi * k / count)) for k in range(count)]


def thread(x: float, y: float, width: float, height: float, pitch: float = 8) -> str:
    """Draw a thread along x: the outline and its slanted flanks."""
    flanks = []
    at = x + pitch
    while at < x + width - 1:
        flanks.append(stroke((at, y), (at - pitch * 0.6, y + height)))
        at += pitch
    return box(x, y, width, height, LIGHT) + "".join(flanks)


def hatch(x: float, y: float, width: float, height: float, gap: float = 9) -> str:
    """Hatch a cut face."""
    lines, at = [], gap
    while at < width + height:
        start = (x + min(at, width), y + max(0, at - width))
        end = (x + max(0, at - height), y + min(at, height))
        lines.append(stroke(start, end, width=1))
        at += gap
    return "".join(lines)
