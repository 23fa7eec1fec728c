"""The catalogue's permissions; ``guest`` holds those that the deployment's switches grant."""

from __future__ import annotations

from core.i18n import _l
from core.spec.app import Permission

_BUYERS = ("orderer", "approver", "company_admin", "viewer")
_STAFF = ("admin", "sales", "finance", "warehouse")

PERMISSIONS = (
    Permission("catalog.product.view", _l("See products"), (*_BUYERS, *_STAFF, "guest")),
    Permission("catalog.product.manage", _l("Look after products, units and media"), ("admin", "sales")),
    Permission("catalog.structure.manage", _l("Look after categories and attributes"), ("admin", "sales")),
    Permission("catalog.item_code.manage", _l("Look after companies' own item codes"), ("admin", "sales")),
)
