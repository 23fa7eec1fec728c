"""Words for what the addon writes into the audit."""

from core.api.hooks import AuditWords
from core.api.i18n import translations

_, _l, ngettext, _p = translations(__name__)
WORDS = AuditWords(
    deeds={
        "rule_deleted": _l("rule removed"),
        "rule_saved": _l("rule saved"),
        "segment_joined": _l("joined a segment"),
        "segment_left": _l("left a segment"),
        "segments_kept": _l("stays in segments without a rule"),
    },
    values={
        "countries": _l("countries"),
        "failed": _l("what was missing"),
        "grace_days": _l("days of grace"),
        "kept": _l("companies stay"),
        "min_orders": _l("least orders"),
        "min_share": _l("least share"),
        "min_spend": _l("least turnover"),
        "orders": _l("orders"),
        "share": _l("share"),
        "spend": _l("turnover"),
        "window_days": _l("days looked back"),
    },
)
