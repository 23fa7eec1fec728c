"""Words for what the audit keeps, as pages and lists show them: core's here, those of addons as they contribute them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

from flask import current_app, has_app_context

from core.i18n import _, _l
from core.registry.registry import registry

THINGS = {
    "addon": _l("Addon"),
    "address": _l("Address"),
    "api_key": _l("API key"),
    "attribute": _l("Attribute"),
    "category": _l("Category"),
    "company": _l("Company"),
    "import": _l("Import"),
    "invitation": _l("Invitation"),
    "item_code": _l("Item code"),
    "job": _l("Job"),
    "list view": _l("View of a list"),
    "member": _l("Member"),
    "order": _l("Order"),
    "product": _l("Product"),
    "segment": _l("Segment"),
    "seller": _l("Seller"),
    "setting": _l("Setting"),
    "tax rate": _l("Tax rate"),
    "user": _l("Person"),
}
DEEDS = {
    "accepted": _l("accepted"),
    "acting_ended": _l("acting for a buyer ended"),
    "acting_ran_out": _l("acting for a buyer ran out"),
    "acting_started": _l("acting for a buyer began"),
    "amended": _l("changed before it was confirmed"),
    "cancelled": _l("cancelled"),
    "changed": _l("changed"),
    "check skipped": _l("a check was skipped"),
    "completed": _l("shipped completely"),
    "confirmed": _l("confirmed"),
    "created": _l("added"),
    "credited": _l("credited"),
    "deleted": _l("deleted"),
    "delivered": _l("delivered"),
    "disabled": _l("disabled"),
    "discarded": _l("given up"),
    "enabled": _l("enabled"),
    "held": _l("put on hold"),
    "hold released": _l("hold released"),
    "hold released by force": _l("hold released by force"),
    "imported": _l("imported"),
    "invited": _l("invited"),
    "invoiced": _l("invoiced"),
    "list price removed": _l("list price removed"),
    "list price set": _l("list price set"),
    "merged": _l("merged"),
    "moved": _l("moved"),
    "noted": _l("noted"),
    "password_changed": _l("password changed"),
    "password_reset": _l("password set by a link"),
    "priced": _l("price set by hand"),
    "purged": _l("remains removed"),
    "recovery_codes_renewed": _l("recovery codes renewed"),
    "rejected": _l("rejected"),
    "removed": _l("removed"),
    "reset_started": _l("link for a new password sent"),
    "restored": _l("in use again"),
    "retired": _l("taken out of use"),
    "returned": _l("goods returned"),
    "revoked": _l("revoked"),
    "roles_changed": _l("roles changed"),
    "saved": _l("saved"),
    "second_factor_removed": _l("second factor removed"),
    "second_factor_set": _l("second factor set up"),
    "segments_changed": _l("segments changed"),
    "sent": _l("sent"),
    "sessions_ended": _l("sessions ended"),
    "set": _l("value set"),
    "shipped": _l("shipped"),
    "sign_in_refused": _l("sign-in refused"),
    "signed_in": _l("signed in"),
    "signed_out": _l("signed out"),
    "submitted": _l("placed"),
    "uninstalled": _l("uninstalled"),
    "updated": _l("changed"),
    "withdrawn": _l("withdrawn"),
}
#: What is kept with a deed.
VALUES = {
    "address": _l("address"),
    "active": _l("in use"),
    "amount": _l("amount"),
    "automatic": _l("by itself"),
    "blocks": _l("what it stops"),
    "buyer": _l("buyer"),
    "by": _l("by"),
    "category": _l("category"),
    "category_id": _l("category"),
    "checks": _l("checks"),
    "code": _l("code"),
    "company": _l("company"),
    "company_id": _l("company"),
    "count": _l("count"),
    "country": _l("country"),
    "created": _l("new"),
    "currency": _l("currency"),
    "digest": _l("fingerprint"),
    "document": _l("document"),
    "email": _l("e-mail"),
    "expires": _l("expires"),
    "file": _l("file"),
    "from": _l("from"),
    "hold": _l("hold"),
    "into": _l("into"),
    "kind": _l("kind"),
    "label": _l("label"),
    "line": _l("line"),
    "lines": _l("lines"),
    "list": _l("list"),
    "locale": _l("language"),
    "mode": _l("how"),
    "moved": _l("quantities"),
    "name": _l("name"),
    "net": _l("without tax"),
    "note": _l("note"),
    "number": _l("number"),
    "parent": _l("parent company"),
    "path": _l("path"),
    "per": _l("for how many"),
    "period": _l("period"),
    "permissions": _l("permissions"),
    "person": _l("person"),
    "po_number": _l("purchase order number"),
    "price": _l("price"),
    "product_id": _l("article"),
    "quantity": _l("quantity"),
    "rate": _l("rate"),
    "roles": _l("roles"),
    "rows": _l("rows"),
    "segment": _l("segment"),
    "segment_id": _l("segment"),
    "segments": _l("segments"),
    "sku": _l("article"),
    "state": _l("state"),
    "status": _l("state"),
    "text": _l("text"),
    "to": _l("to"),
    "unit": _l("unit"),
    "updated": _l("brought up to date"),
    "user": _l("person"),
    "valid_from": _l("valid from"),
    "valid_until": _l("valid until"),
    "value": _l("value"),
    "values": _l("values"),
    "wished_date": _l("wished delivery"),
}


def thing(entity: str) -> str:
    """Return the word for a kind of thing; what nobody has a word for stands as it is written."""
    return _word(entity, "things", THINGS)


def deed(action: str) -> str:
    """Return the words for what was done; what nobody has words for stands as it is written."""
    return _word(action, "deeds", DEEDS)


def value(name: str) -> str:
    """Return the word for what is kept with a deed; what nobody has a word for stands as it is written."""
    return _word(name, "values", VALUES)


def told(entity: str, name: str, action: str) -> str:
    """Return what was done to which thing ('': to one of its kind), in one line."""
    if not name:
        return _("%(thing)s: %(deed)s", thing=thing(entity), deed=deed(action))
    return _("%(thing)s %(name)s: %(deed)s", thing=thing(entity), name=name, deed=deed(action))


def _word(code: str, kind: str, own: Mapping[str, object]) -> str:
    said = own.get(code) or (_contributed(kind).get(code) if has_app_context() else None)
    return str(said) if said else code.replace("_", " ").replace(".", " ")


def _contributed(kind: str) -> Mapping[str, object]:
    """Return the words of addons, collected once for each app; of two that have one, the first loaded says it."""
    kept: dict[str, Mapping[str, object]] = current_app.extensions.setdefault("tukku.audit_words", {})
    if kind not in kept:
        sets = reversed(registry().values("audit_words"))
        kept[kind] = dict(chain.from_iterable(getattr(words, kind).items() for words in sets))
    return kept[kind]
