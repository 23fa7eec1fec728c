"""Words for what the audit keeps: kinds of things and what was done to them, as pages and lists show them."""

from __future__ import annotations

from core.i18n import _, _l

THINGS = {
    "addon": _l("Addon"),
    "address": _l("Address"),
    "api_key": _l("API key"),
    "approval rules": _l("Approval rules"),
    "attribute": _l("Attribute"),
    "category": _l("Category"),
    "company": _l("Company"),
    "contract": _l("Contract"),
    "import": _l("Import"),
    "invitation": _l("Invitation"),
    "item_code": _l("Item code"),
    "job": _l("Job"),
    "list view": _l("View of a list"),
    "member": _l("Member"),
    "order": _l("Order"),
    "product": _l("Product"),
    "promotion": _l("Promotion"),
    "segment": _l("Segment"),
    "seller": _l("Seller"),
    "setting": _l("Setting"),
    "spending limits": _l("Spending limits"),
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
    "priced": _l("price set by hand"),
    "password_reset": _l("password set by a link"),
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
    "updated": _l("changed"),
    "withdrawn": _l("withdrawn"),
}


def thing(entity: str) -> str:
    """Return the word for a kind of thing; an addon's own stands as the addon wrote it."""
    return str(THINGS.get(entity) or _plain(entity))


def deed(action: str) -> str:
    """Return the words for what was done; an addon's own stand as the addon wrote them."""
    return str(DEEDS.get(action) or _plain(action))


def told(entity: str, name: str, action: str) -> str:
    """Return what was done to which thing ('': to one of its kind), in one line."""
    if not name:
        return _("%(thing)s: %(deed)s", thing=thing(entity), deed=deed(action))
    return _("%(thing)s %(name)s: %(deed)s", thing=thing(entity), name=name, deed=deed(action))


def _plain(code: str) -> str:
    return code.replace("_", " ").replace(".", " ")
