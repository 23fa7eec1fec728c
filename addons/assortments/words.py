"""Words for what the addon writes into the audit."""

from core.api.hooks import AuditWords
from core.api.i18n import translations

_, _l, ngettext, _p = translations(__name__)
WORDS = AuditWords(
    things={
        "assortment": _l("Assortment"),
    },
    deeds={
        "change not published": _l("change not published"),
        "change prepared": _l("change prepared"),
        "change published": _l("change published"),
        "change scheduled": _l("change scheduled"),
        "change undone": _l("change undone"),
        "change withdrawn": _l("change withdrawn"),
        "rows added": _l("rows added"),
        "rows removed": _l("rows removed"),
    },
    values={
        "audience": _l("for whom"),
        "starts": _l("begins"),
        "why": _l("why"),
    },
)
