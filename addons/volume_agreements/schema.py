"""The addon's mapped classes, and the way to write its first revision anew (before the first release).

python -m addons.volume_agreements.schema
"""

from __future__ import annotations

from pathlib import Path

from addons.volume_agreements import models

if __name__ == "__main__":
    from core.data import schema
    from core.data.migrate import addon_history, write_initial

    assert models
    schema.load()
    print(write_initial(addon_history("volume_agreements", Path(__file__).parent)))
