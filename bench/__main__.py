"""Run all measurements one after another, each in a process of its own: ``python -m bench [NAME …]``.

What needs sample data (``TUKKU_SAMPLES_DIR``) is left out with a sentence where there is none.
"""

from __future__ import annotations

import os
import subprocess
import sys

#: name -> whether it reads the sample data
ALL = {
    "pricing": True,
    "contracts": False,
    "changes": False,
    "catalog": False,
    "assortments": False,
    "orders": False,
    "approvals": False,
    "jobs": False,
    "pages": False,
    "platform": False,
}


def main() -> int:
    """Run the named measurements, or all; returns how many failed."""
    names = sys.argv[1:] or list(ALL)
    unknown = [name for name in names if name not in ALL]
    if unknown:
        print(f"There is no measurement {unknown[0]}; there are {', '.join(ALL)}.")
        return 2
    failed = 0
    for name in names:
        if ALL[name] and not os.path.isdir(os.environ.get("TUKKU_SAMPLES_DIR", "")):
            print(f"{name}: left out, because TUKKU_SAMPLES_DIR is not the folder of sample data.")
            continue
        print(f"== {name}", flush=True)
        failed += subprocess.run([sys.executable, "-m", f"bench.{name}"], check=False).returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main())
