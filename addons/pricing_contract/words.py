"""Words for what the addon writes into the audit."""

from core.api.hooks import AuditWords
from core.api.i18n import translations

_, _l, ngettext, _p = translations(__name__)
WORDS = AuditWords(
    things={
        "contract": _l("Contract"),
    },
    deeds={
        "change not published": _l("change not published"),
        "change prepared": _l("change prepared"),
        "change published": _l("change published"),
        "change scheduled": _l("change scheduled"),
        "change undone": _l("change undone"),
        "change withdrawn": _l("change withdrawn"),
        "copied": _l("copied"),
        "deletion taken back": _l("deletion taken back"),
        "prices changed": _l("prices changed"),
        "prices changed by percent": _l("prices changed by percent"),
        "prices deleted": _l("prices deleted"),
        "quantities removed": _l("order quantities removed"),
        "quantities set": _l("order quantities set"),
    },
    values={
        "allow_inverted": _l("larger quantities may cost more"),
        "audience": _l("for whom"),
        "below_first": _l("below the first quantity"),
        "breaks": _l("how steps apply"),
        "closes": _l("nothing follows"),
        "counts": _l("what is counted together"),
        "date_basis": _l("prices of which day"),
        "merge_policy": _l("beside other contracts"),
        "minimum": _l("least"),
        "packages": _l("packages"),
        "percent": _l("percent"),
        "priority": _l("priority"),
        "show_list": _l("list price shown"),
        "starts": _l("begins"),
        "step": _l("step"),
        "target": _l("article or category"),
        "why": _l("why"),
    },
)
