"""The addon's mapped classes, and the way to write its first revision anew (before the first release).

python -m addons.pricing_contract.schema
"""

from __future__ import annotations

from pathlib import Path

from addons.pricing_contract import change_models, history_models, models, rise_models

if __name__ == "__main__":
    from core.data import schema
    from core.data.migrate import addon_history, write_initial

    assert all((models, change_models, rise_models, history_models))
    schema.load()
    print(write_initial(addon_history("pricing_contract", Path(__file__).parent)))
