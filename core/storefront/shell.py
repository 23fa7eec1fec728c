"""Fill the storefront's frame: who is signed in, for which company, the cart, the menus."""

from __future__ import annotations

from flask import g, request, url_for

from core.accounts import identity
from core.companies.services import seller_facts
from core.data.scope import actor_or_none
from core.i18n import _, current_locale, spoken
from core.i18n.titles import addon_title
from core.orders import cart
from core.registry.registry import registry
from core.settings.services import get
from core.spec.errors import NotFound
from core.ui import accent, nav
from core.ui.assets import asset
from core.ui.links import may_open, optional_url
from core.ui.nav import NavLink
from core.ui.shells import Acting, Bell, CartBadge, CompanyLink, ShopShell, Site, Someone

LANGUAGES = {"en": "English", "fi": "Suomi", "pl": "Polski", "tr": "Türkçe"}
THEMES = ("light", "dark")
RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})


def site() -> Site:
    """Return the deployment as pages show it, made once a request."""
    if "tukku_site" not in g:
        g.tukku_site = _site()
    found: Site = g.tukku_site
    return found


def shop_shell() -> ShopShell:
    """Return the storefront's frame, made once a request."""
    if "tukku_shop_shell" not in g:
        g.tukku_shop_shell = _shop_shell()
    found: ShopShell = g.tukku_shop_shell
    return found


def zone() -> str:
    """Return the seller's time zone, in which instants are shown; UTC before ``tukku init``."""
    try:
        return seller_facts().zone
    except NotFound:
        return "UTC"


def notice() -> str:
    """Return why ordering is paused, '' while it is not."""
    out = [addon_title(degraded.addon) for degraded in registry().degraded]
    if not out:
        return ""
    return _(
        "Ordering is paused, because a part that prices or checks orders is out of order (%(addons)s). Carts are kept.",
        addons=", ".join(out),
    )


def bell() -> Bell | None:
    """Return the person's bell; None for visitors, and for staff while they act for a buyer."""
    person, url = identity.current().person, optional_url("notifications.inbox")
    return Bell(url, person.unread) if person and url else None


def _site() -> Site:
    locale = current_locale()
    theme = request.cookies.get("theme", "")
    name, imprint = _merchant()
    colour = str(get("storefront", "accent"))
    return Site(
        name=name,
        locale=locale,
        logo_url=asset("logo.svg"),
        home_url=url_for("storefront.home"),
        direction="rtl" if locale in RIGHT_TO_LEFT else "ltr",
        theme=theme if theme in THEMES else "",
        accent_url=url_for("storefront.accent_css", colour=colour.lstrip("#")) if accent.parse(colour) else "",
        imprint=imprint,
        notice=notice(),
        languages=tuple((code, LANGUAGES[code]) for code in spoken()),
        language_action=optional_url("accounts.set_locale"),
        reader=_reader(),
    )


def _reader() -> str:
    actor = actor_or_none()
    return f"{actor.user_id or ''}.{actor.company_id or ''}" if actor else ""


def _merchant() -> tuple[str, str]:
    try:
        found = seller_facts()
    except NotFound:
        return "Tukku", ""
    place = " ".join(part for part in (found.postal_code, found.city) if part)
    ids = _("Business ID %(id)s", id=found.business_id) if found.business_id else ""
    return str(get("storefront", "shop_name")) or found.name, " · ".join(
        p for p in (found.name, found.street, place, ids) if p
    )


def _shop_shell() -> ShopShell:
    who = identity.current()
    person, acting = who.person, who.acting
    links, account = nav.links("shop", "main"), tuple(nav.links("shop", "account"))
    company = CompanyLink(who.company.code, who.company.name) if who.company else None
    badge = _cart_badge()
    quick = optional_url("orders.quick_order")
    search = optional_url("catalog.search")
    home = url_for("storefront.home")
    return ShopShell(
        home_url=home,
        user=Someone(person.name, person.email) if person else None,
        company=company,
        companies=tuple(CompanyLink(c.code, c.name) for c in who.companies),
        cart=badge,
        bell=bell(),
        acting=Acting(acting.buyer_name, acting.company.name, optional_url("accounts.stop_acting")) if acting else None,
        search_url=search,
        suggest_url=optional_url("catalog.suggest"),
        quick_order_url=quick,
        switch_url=optional_url("companies.switch"),
        sign_in_url=None if person else optional_url("accounts.login"),
        sign_out_url=optional_url("accounts.logout") if person else None,
        office_url=url_for("backoffice.home") if person and person.is_staff and may_open("backoffice.home") else None,
        tools=tuple(link for link in (*links, *account) if link.count),
        menu=tuple(link for link in links if not link.count),
        account=account,
        bottom=_bottom(home, search, quick, badge, person is not None, account),
    )


def _cart_badge() -> CartBadge | None:
    url = optional_url("orders.cart")
    if url is None:
        return None
    lines, total, currency = cart.badge()
    return CartBadge(url, lines, total, currency)


def _bottom(
    home: str,
    search: str | None,
    quick: str | None,
    badge: CartBadge | None,
    signed_in: bool,
    links: tuple[NavLink, ...],
) -> tuple[NavLink, ...]:
    """Return the bottom bar of a phone."""
    account = next(iter(links), None)
    waits = sum(link.count or 0 for link in links) or None
    found = [
        NavLink(_("Home"), home, "house", request.path == home),
        NavLink(_("Search"), search, "search", nav.is_current(search)) if search else None,
        NavLink(_("Quick order"), quick, "lightning-charge", nav.is_current(quick)) if quick else None,
        NavLink(_("Cart"), badge.url, "cart3", nav.is_current(badge.url), badge.count or None) if badge else None,
        NavLink(_("Account"), account.url, "person", account.current, waits) if account else None,
    ]
    if not signed_in and (url := optional_url("accounts.login")):
        found.append(NavLink(_("Sign in"), url, "person"))
    return tuple(link for link in found if link)
