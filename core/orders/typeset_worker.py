"""Compile one Typst document in a process of its own: JSON on stdin, PDF on stdout. Imports nothing of core.

A template that loops cannot hold up the shop: the parent ends this process after a time limit.
"""

from __future__ import annotations

import json
import sys


def main() -> None:
    """Compile ``{"template", "data", "fonts", "timestamp"}``; no package may be fetched, no system font is used."""
    import typst

    asked = json.load(sys.stdin)
    pdf = typst.compile(
        asked["template"],
        font_paths=asked["fonts"],
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(asked["data"])},
        timestamp=asked["timestamp"],
        format="pdf",
    )
    sys.stdout.buffer.write(pdf)


if __name__ == "__main__":
    main()
