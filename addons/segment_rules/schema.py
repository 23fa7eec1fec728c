"""The addon's mapped classes, and the way to write its first revision anew (before the first release).

python -m addons.segment_rules.schema
"""

from __future__ import annotations

from pathlib import Path

from addons.segment_rules import models

if __name__ == "__main__":
    from core.data import schema
    from core.data.migrate import addon_history, write_initial

    assert models
    schema.load()
    print(write_initial(addon_history("segment_rules", Path(__file__).parent)))
