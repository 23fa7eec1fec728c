"""The proposal of a credit note as a document for finance and for the books."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from core.api.companies import Company, seller
from core.api.data import clock, db
from core.api.documents import PDF, Document, compile_pdf
from core.api.i18n import current_locale, translations
from core.api.ui import day_text, instant_text, money_text, quantity_text

from . import ledger, wording
from .listing import STATES
from .models import Settlement

_, _l, ngettext, _p = translations(__name__)
TEMPLATE = Path(__file__).parent / "typst" / "settlement.typ"


def of(one: Settlement) -> Document:
    """Return a settlement as PDF in the reader's language; never inside ``write()``."""
    rebate, company, we = one.rebate, db.session.get(Company, one.company_id), seller()
    step = ledger.terms_of(rebate).reached(one.net, one.quantity)
    days = f"{day_text(one.period)} – {day_text(one.after - timedelta(days=1))}"
    facts = [
        [_("Seller"), we.name],
        [_("Company"), f"{company.name} ({company.code})" if company else ""],
        [_("Rebate"), f"{rebate.name} ({rebate.code})"],
        [_("Period"), days],
        [_("Net turnover that counts"), money_text(one.net, one.currency)],
        *([[_("Quantity that counts"), quantity_text(one.quantity, rebate.unit)]] if rebate.unit else []),
        [_("Step that is reached"), wording.value(rebate, step[1]) if step else "–"],
        [_("How steps count"), wording.terms(rebate)],
        [_("Accrued"), money_text(one.accrued, one.currency)],
        [_("Settled before"), money_text(one.accrued - one.amount, one.currency)],
    ]
    if one.decided_at is not None:
        facts.append([str(dict(STATES)[one.state]), f"{instant_text(one.decided_at)}, {one.decided_by}"])
    if one.document:
        facts.append([_("Credit note"), one.document])
    data = {
        "lang": current_locale(),
        "title": _("Proposal of a credit note %(code)s", code=one.code),
        "facts": facts,
        "total": [_("To be credited, without tax"), money_text(one.amount, one.currency)],
        "reason": one.reason,
    }
    name = f"{one.code}.pdf"
    db.session.rollback()  # the read is over: no transaction stays open while the document is set
    return Document(name, PDF, compile_pdf(TEMPLATE, data, at=clock.now()))
