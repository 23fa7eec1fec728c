"""Build core/static/icons.svg, the sprite of the icons in use, from Bootstrap Icons (MIT).

Run ``python -m core.ui.sprite`` after adding a name to ``ICONS``. The full set is carried by
Bootstrap-Flask and weighs 1.1 MB; the shop serves only the icons listed here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from core.ui.packages import STATIC, package_folder

ICONS = """
    arrow-clockwise arrow-counterclockwise arrow-down arrow-left arrow-right arrow-up bag bar-chart bell
    bell-slash bookmark box-arrow-in-right box-arrow-right box-seam boxes building building-gear buildings
    calculator calendar3 cart3 check-circle check2 check2-circle chevron-down chevron-left chevron-right
    circle-half clipboard clock clock-history code-slash columns-gap copy credit-card currency-euro dash dash-circle
    database diagram-3 download envelope exclamation-octagon exclamation-triangle eye eye-slash file-earmark-pdf
    file-earmark-spreadsheet file-earmark-text file-text filter folder funnel gear geo-alt globe grid grip-vertical heart
    hourglass-split house image inbox info-circle key layout-three-columns lightning-charge link-45deg list
    list-check list-ul lock moon-stars palette pause-circle pencil people percent person person-badge person-check
    person-plus phone play-circle plug plus plus-lg printer puzzle question-circle receipt search send
    shield-check shield-lock shop sliders star stopwatch sun tag tags three-dots tools translate trash truck
    upc-scan upload wallet2 x x-circle x-lg
"""

NOTICE = "<!-- From Bootstrap Icons, https://icons.getbootstrap.com, (c) The Bootstrap Authors, MIT licence. -->"


def build_sprite(names: Iterable[str], source: str) -> str:
    """Return the sprite holding exactly `names`; raises KeyError naming an icon the source lacks."""
    symbols = {match[2]: match[1] for match in re.finditer(r'<symbol[^>]*?viewBox="([^"]+)" id="([^"]+)">', source)}
    bodies = dict(re.findall(r'<symbol[^>]*? id="([^"]+)">(.*?)</symbol>', source, flags=re.DOTALL))
    parts = [f'<symbol id="{name}" viewBox="{symbols[name]}">{bodies[name]}</symbol>' for name in sorted(set(names))]
    return "\n".join([NOTICE, '<svg xmlns="http://www.w3.org/2000/svg">', *parts, "</svg>", ""])


def main() -> None:
    """Write the sprite into core/static."""
    source = package_folder("flask_bootstrap") / "static/bootstrap5/icons/bootstrap-icons.svg"
    target = Path(STATIC) / "icons.svg"
    target.write_text(build_sprite(ICONS.split(), source.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
