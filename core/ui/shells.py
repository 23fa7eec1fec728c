"""What the frames of both faces show: plain values, filled by core.storefront and core.backoffice."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from core.ui.nav import NavLink, NavSection


@dataclass(frozen=True, slots=True)
class Site:
    """The deployment as every page shows it; ``theme`` is '' where the reader's system decides.

    ``reader`` tells one reader in one company from another, for what a tab keeps of a form.
    """

    name: str
    locale: str
    logo_url: str
    home_url: str = "/"
    direction: str = "ltr"
    theme: str = ""
    accent_url: str = ""
    imprint: str = ""
    notice: str = ""
    languages: tuple[tuple[str, str], ...] = ()
    language_action: str | None = None
    reader: str = ""


@dataclass(frozen=True, slots=True)
class Someone:
    """The signed-in person."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class CompanyLink:
    """A company for which the person may buy."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class CartBadge:
    """The open cart in the top bar: number of lines, net total in ``currency``."""

    url: str
    count: int
    total: Decimal | None
    currency: str


@dataclass(frozen=True, slots=True)
class Acting:
    """Staff acting for a buyer: both names, and where to stop it."""

    buyer: str
    company: str
    stop_url: str | None


@dataclass(frozen=True, slots=True)
class Bell:
    """The person's notifications: their page and how many are unread."""

    url: str
    count: int


@dataclass(frozen=True, slots=True)
class ShopShell:
    """The storefront's frame; an address that is None is not shown."""

    home_url: str
    user: Someone | None = None
    company: CompanyLink | None = None
    companies: tuple[CompanyLink, ...] = ()
    cart: CartBadge | None = None
    acting: Acting | None = None
    bell: Bell | None = None
    search_url: str | None = None
    suggest_url: str | None = None
    quick_order_url: str | None = None
    switch_url: str | None = None
    sign_in_url: str | None = None
    sign_out_url: str | None = None
    office_url: str | None = None
    tools: tuple[NavLink, ...] = ()
    menu: tuple[NavLink, ...] = ()
    account: tuple[NavLink, ...] = ()
    bottom: tuple[NavLink, ...] = ()


@dataclass(frozen=True, slots=True)
class OfficeShell:
    """The back-office's frame."""

    home_url: str
    sections: tuple[NavSection, ...]
    user: Someone | None = None
    bell: Bell | None = None
    command_url: str | None = None
    shop_url: str | None = None
    sign_out_url: str | None = None
    account: tuple[NavLink, ...] = ()
