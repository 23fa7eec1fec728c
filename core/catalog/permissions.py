"""The catalogue's permissions; ``guest`` holds those that the deployment's switches grant."""

from __future__ import annotations

from core.i18n import _l
from core.spec.app import Permission

_BUYERS = ("orderer", "approver", "company_admin", "viewer")
_STAFF = ("admin", "sales", "finance", "warehouse")

PERMISSIONS = (
    Permission("catalog.product.view", _l("See products"), (*_BUYERS, *_STAFF, "guest")),
    Permission("catalog.product.edit", _l("Look after products, categories, attributes and media"), ("admin", "sales")),
    Permission("catalog.item_code.edit", _l("Look after companies' own item codes"), ("admin", "sales")),
)
