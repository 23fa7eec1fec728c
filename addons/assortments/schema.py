"""The addon's mapped classes, and the way to write its first revision anew (before the first release).

python -m addons.assortments.schema
"""

from __future__ import annotations

from pathlib import Path

from addons.assortments import models

if __name__ == "__main__":
    from core.data import schema
    from core.data.migrate import addon_history, write_initial

    assert models
    schema.load()
    print(write_initial(addon_history("assortments", Path(__file__).parent)))
