"""Words for what the addon writes into the audit."""

from core.api.hooks import AuditWords
from core.api.i18n import translations

_, _l, ngettext, _p = translations(__name__)
WORDS = AuditWords(
    things={
        "assortment": _l("Assortment"),
    },
    deeds={
        "rows added": _l("rows added"),
        "rows removed": _l("rows removed"),
    },
    values={
        "audience": _l("for whom"),
    },
)
