"""Words for what the audit keeps, of core and of the addons that come with it, as pages and lists show them."""

from __future__ import annotations

from flask import has_app_context

from core.i18n import _, _l
from core.i18n.texts import texts_of
from core.registry.registry import registry

THINGS = {
    "addon": _l("Addon"),
    "address": _l("Address"),
    "api_key": _l("API key"),
    "approval rules": _l("Approval rules"),
    "assortment": _l("Assortment"),
    "attribute": _l("Attribute"),
    "category": _l("Category"),
    "company": _l("Company"),
    "contract": _l("Contract"),
    "cost centre": _l("Cost centre"),
    "import": _l("Import"),
    "invitation": _l("Invitation"),
    "item_code": _l("Item code"),
    "job": _l("Job"),
    "list view": _l("View of a list"),
    "member": _l("Member"),
    "order": _l("Order"),
    "product": _l("Product"),
    "promotion": _l("Promotion"),
    "rebate": _l("Yearly rebate"),
    "segment": _l("Segment"),
    "seller": _l("Seller"),
    "seller approval rules": _l("Seller's approval rules"),
    "setting": _l("Setting"),
    "spending limits": _l("Spending limits"),
    "tax rate": _l("Tax rate"),
    "user": _l("Person"),
    "volume agreement": _l("Volume agreement"),
}
DEEDS = {
    "absence added": _l("absence added"),
    "absence removed": _l("absence removed"),
    "accepted": _l("accepted"),
    "acting_ended": _l("acting for a buyer ended"),
    "acting_ran_out": _l("acting for a buyer ran out"),
    "acting_started": _l("acting for a buyer began"),
    "added": _l("added"),
    "amended": _l("changed before it was confirmed"),
    "approval approved": _l("approved"),
    "approval asked again": _l("approval asked for again"),
    "approval asked of": _l("asked to approve"),
    "approval clock failed": _l("deadline of the approval could not be kept"),
    "approval decided through the API": _l("decided by a program"),
    "approval escalated": _l("approval passed on"),
    "approval expired": _l("time for the approval ran out"),
    "approval rejected": _l("not approved"),
    "approval reminded": _l("approvers reminded"),
    "approval request withdrawn": _l("approval asked for no more"),
    "approval returned": _l("returned for changes"),
    "approval taken over": _l("approval taken over"),
    "approval under review": _l("taken under review"),
    "budget ledger mended": _l("ledger of budgets mended"),
    "budget set": _l("budget set"),
    "budget switched off": _l("budget switched off"),
    "cancelled": _l("cancelled"),
    "change not published": _l("change not published"),
    "change prepared": _l("change prepared"),
    "change published": _l("change published"),
    "change scheduled": _l("change scheduled"),
    "change undone": _l("change undone"),
    "change withdrawn": _l("change withdrawn"),
    "changed": _l("changed"),
    "check skipped": _l("a check was skipped"),
    "completed": _l("shipped completely"),
    "confirmed": _l("confirmed"),
    "copied": _l("copied"),
    "cost centre set": _l("cost centre set"),
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
    "ledger mended": _l("ledger mended"),
    "limit removed": _l("limit removed"),
    "limit set": _l("limit set"),
    "list price removed": _l("list price removed"),
    "list price set": _l("list price set"),
    "manager set": _l("manager set"),
    "merged": _l("merged"),
    "moved": _l("moved"),
    "noted": _l("noted"),
    "password_changed": _l("password changed"),
    "password_reset": _l("password set by a link"),
    "policy removed": _l("policy removed"),
    "policy set": _l("policy set"),
    "priced": _l("price set by hand"),
    "prices changed": _l("prices changed"),
    "prices changed by percent": _l("prices changed by percent"),
    "recovery_codes_renewed": _l("recovery codes renewed"),
    "refused": _l("refused"),
    "rejected": _l("rejected"),
    "removed": _l("removed"),
    "reset_started": _l("link for a new password sent"),
    "restored": _l("in use again"),
    "retired": _l("taken out of use"),
    "returned": _l("goods returned"),
    "revoked": _l("revoked"),
    "role removed": _l("role removed"),
    "role set": _l("role set"),
    "roles_changed": _l("roles changed"),
    "rows added": _l("rows added"),
    "rows removed": _l("rows removed"),
    "rule added": _l("rule added"),
    "rule changed": _l("rule changed"),
    "rule removed": _l("rule removed"),
    "rule_deleted": _l("rule removed"),
    "rule_saved": _l("rule saved"),
    "saved": _l("saved"),
    "second_factor_removed": _l("second factor removed"),
    "second_factor_set": _l("second factor set up"),
    "segments_changed": _l("segments changed"),
    "seller approved": _l("approved for the seller"),
    "seller rejected": _l("not approved for the seller"),
    "seller returned": _l("returned by the seller for changes"),
    "sent": _l("sent"),
    "sessions_ended": _l("sessions ended"),
    "set": _l("value set"),
    "shipped": _l("shipped"),
    "sign_in_refused": _l("sign-in refused"),
    "signed_in": _l("signed in"),
    "signed_out": _l("signed out"),
    "submitted": _l("placed"),
    "updated": _l("changed"),
    "volume ledger mended": _l("ledger of agreements mended"),
    "withdrawn": _l("withdrawn"),
}


def thing(entity: str) -> str:
    """Return the word for a kind of thing; an addon's own stands as its catalogue has it, or as the addon wrote it."""
    return str(THINGS.get(entity) or _plain(entity))


def deed(action: str) -> str:
    """Return the words for what was done; an addon's own stand as its catalogue has them, or as the addon wrote them."""
    return str(DEEDS.get(action) or _plain(action))


def told(entity: str, name: str, action: str) -> str:
    """Return what was done to which thing ('': to one of its kind), in one line."""
    if not name:
        return _("%(thing)s: %(deed)s", thing=thing(entity), deed=deed(action))
    return _("%(thing)s %(name)s: %(deed)s", thing=thing(entity), name=name, deed=deed(action))


def _plain(code: str) -> str:
    for addon in registry().plan.order if has_app_context() else ():
        said = texts_of(addon.import_name, addon.name).gettext(code)
        if said != code:
            return said
    return code.replace("_", " ").replace(".", " ")
