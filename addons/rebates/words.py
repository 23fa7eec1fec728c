"""Words for what the addon writes into the audit."""

from core.api.hooks import AuditWords
from core.api.i18n import translations

_, _l, ngettext, _p = translations(__name__)
WORDS = AuditWords(
    things={
        "rebate": _l("Yearly rebate"),
    },
    deeds={
        "ledger mended": _l("ledger mended"),
        "refused": _l("refused"),
    },
    values={
        "basis": _l("counted by"),
        "ends": _l("ends"),
        "starts": _l("begins"),
        "steps": _l("steps"),
        "targets": _l("rows of goods"),
    },
)
