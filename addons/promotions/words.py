"""Words for what the addon writes into the audit."""

from core.api.hooks import AuditWords
from core.api.i18n import translations

_, _l, ngettext, _p = translations(__name__)
WORDS = AuditWords(
    things={
        "promotion": _l("Promotion"),
    },
    values={
        "counted_category_id": _l("counted category"),
        "counted_product_id": _l("counted article"),
        "for_every": _l("for every"),
        "free_quantity": _l("free units"),
        "max_units": _l("at most units"),
        "min_quantity": _l("least quantity"),
        "min_value": _l("least value"),
        "on_agreed": _l("also on agreed prices"),
        "reduced_category_id": _l("reduced category"),
        "reduced_product_id": _l("reduced article"),
        "uses": _l("uses"),
        "uses_per_company": _l("uses by each company"),
        "voucher": _l("voucher"),
        "with_charges": _l("with freight"),
    },
)
