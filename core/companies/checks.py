"""What may be wrong with the seller."""

from __future__ import annotations

from collections.abc import Iterator

from core.companies.services import seller
from core.i18n import _, _l
from core.spec.app import ConfigCheck, ConfigFinding
from core.spec.errors import NotFound


def seller_is_complete() -> Iterator[ConfigFinding]:
    """Find what documents need of the seller and is not there."""
    mend = {"remedy": _("Open the seller"), "endpoint": "companies_admin.seller"}
    try:
        found = seller()
    except NotFound:
        text = _("There is no seller yet. Prices, tax and documents need one.")
        yield ConfigFinding("SELLER-MISSING", "error", text, **mend)
        return
    if not (found.street and found.postal_code and found.city):
        text = _("The seller's address is not complete. It stands on every document.")
        yield ConfigFinding("SELLER-ADDRESS", "error", text, **mend)
    if not (found.business_id or found.vat_id):
        text = _("The seller has neither a business ID nor a VAT number. Documents have to name one.")
        yield ConfigFinding("SELLER-IDS", "warning", text, **mend)
    if not found.email:
        text = _("The seller has no e-mail address. Buyers do not see where to write.")
        yield ConfigFinding("SELLER-EMAIL", "warning", text, **mend)


CHECKS = (ConfigCheck("seller", _l("Seller's name, address and numbers"), seller_is_complete, order=10),)
