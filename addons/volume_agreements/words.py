"""Words for what the addon writes into the audit."""

from core.api.hooks import AuditWords
from core.api.i18n import translations

_, _l, ngettext, _p = translations(__name__)
WORDS = AuditWords(
    things={
        "volume agreement": _l("Volume agreement"),
    },
    deeds={
        "volume ledger mended": _l("ledger of agreements mended"),
    },
)
