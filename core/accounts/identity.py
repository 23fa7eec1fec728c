"""Before each request: who is it, for which company, and what may they do? The answer is one immutable Actor.

Two statements: the session with the person and staff roles, and for buyers their memberships with all that a page
asks of the company, which core.companies answers through ``Buyers``. Requests for static files ask nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol, cast

from flask import current_app, g, request, session

from core.accounts import roles
from core.accounts.sessions import API, BARE_PATHS
from core.data import clock
from core.data.scope import Actor, Scope, guest, set_actor
from core.i18n import LOCALES
from core.settings.services import get

_BUYERS = "tukku.buyers"
_KEYS = "tukku.keys"
LOCALE_COOKIE = "locale"


@dataclass(frozen=True, slots=True)
class Person:
    """A signed-in person; ``code`` names them in addresses of pages."""

    id: int
    code: str
    email: str
    name: str
    locale: str
    staff_roles: tuple[str, ...] = ()
    has_second_factor: bool = False
    last_company_id: int | None = None
    unread: int = 0

    @property
    def is_staff(self) -> bool:
        """True for the merchant's staff."""
        return bool(self.staff_roles)


@dataclass(frozen=True, slots=True)
class CompanyChoice:
    """A company for which the person may buy."""

    id: int
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Buyer:
    """A person's standing in the active company, and the ids of the companies around it.

    ``ancestors`` starts with the company itself, nearest first; so does ``descendants``, its whole tree downward.
    """

    company: CompanyChoice
    roles: frozenset[str]
    choices: tuple[CompanyChoice, ...]
    ancestors: tuple[int, ...]
    descendants: tuple[int, ...]
    #: Segments of the company and of its parents, sorted by id.
    segments: tuple[int, ...] = ()
    currency: str = ""
    country: str = ""
    #: Which settings hold for the company: its own and its parents', nearest first, then those of its segments.
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ActingFor:
    """Staff at work for a buyer until ``until``."""

    buyer_id: int
    buyer_name: str
    company: CompanyChoice
    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Everything pages may want to know of who is asking; ``must_enrol``: a second factor has to be set up first.

    ``by_key``: it is a program with a key of the API, and no person.
    """

    person: Person | None = None
    buyer: Buyer | None = None
    acting: ActingFor | None = None
    must_enrol: bool = False
    by_key: bool = False

    @property
    def company(self) -> CompanyChoice | None:
        """The active buying company."""
        return self.buyer.company if self.buyer else None

    @property
    def companies(self) -> tuple[CompanyChoice, ...]:
        """The companies between which the person may switch; nobody switches while acting for somebody."""
        return self.buyer.choices if self.buyer and not self.acting else ()


class Buyers(Protocol):
    """What core.companies answers."""

    def standing(self, user_id: int, company_id: int | None, *, exactly: bool = False) -> Buyer | None:
        """Return the person's standing in ``company_id``, else (unless ``exactly``) in their first company."""

    def portfolio(self, user_id: int) -> tuple[int, ...]:
        """Return the ids of the companies that a sales representative looks after, with their trees."""


def use_buyers(app: Any, buyers: Buyers) -> None:
    """Let ``buyers`` answer for the companies of ``app``."""
    app.extensions[_BUYERS] = buyers


def current() -> Identity:
    """Return the identity of this request; nobody's outside requests."""
    return cast(Identity, g.get("tukku_identity") or Identity())


def load_actor() -> None:
    """Find out who asks and set the session's actor; runs before anything else of a request."""
    g.tukku_identity = Identity()
    if request.path.startswith(BARE_PATHS):  # an API is called with keys, never with the browser's cookie
        set_actor(guest(locale=guest_locale()))
        _ask_for_key()
        return
    person = _person()
    if person is None:
        set_actor(guest(roles.guest_permissions(), guest_locale()))
        return
    identity = _identity(person)
    g.tukku_identity = identity
    set_actor(actor_of(identity))


def use_keys(app: Any, authenticate: Callable[[], Actor | None]) -> None:
    """Let ``authenticate`` say who calls the API of ``app``: the actor of the key that came along, None without a key."""
    app.extensions[_KEYS] = authenticate


def _ask_for_key() -> None:
    if request.path.startswith(API) and (authenticate := current_app.extensions.get(_KEYS)):
        actor = authenticate()
        if actor is not None:
            g.tukku_identity = Identity(by_key=True)
            set_actor(replace(actor, locale=guest_locale()))


def _person() -> Person | None:
    """Return the signed-in person; the row of the session has to name the same one as its content."""
    row: Any = session.row  # type: ignore[attr-defined]
    named = session.get("_user_id")
    if row is None or row.user_id is None or not row.active or not named or str(named) != row.fs_uniquifier:
        return None
    return Person(
        id=row.user_id,
        code=row.code,
        email=row.email,
        name=row.name,
        locale=row.locale,
        staff_roles=tuple(sorted(role for role in (row.staff_roles or "").split(",") if role)),
        has_second_factor=bool(row.has_second_factor),
        last_company_id=row.last_company_id,
        unread=row.unread,
    )


def _identity(person: Person) -> Identity:
    chosen = session.get("company_id")
    if not person.is_staff:
        return _buying(person, _buyers().standing(person.id, chosen or person.last_company_id))
    if not person.has_second_factor and get("core", "staff_second_factor"):
        return Identity(person, must_enrol=True)
    acting = running(session.get("acting"))
    if acting is not None:
        buyer = _buyers().standing(acting["user_id"], acting["company_id"], exactly=True)
        if buyer is not None:
            return Identity(person, buyer, _acting_for(acting, buyer))
    if chosen:
        return _buying(person, _buyers().standing(person.id, chosen, exactly=True))
    return Identity(person)


def _buying(person: Person, buyer: Buyer | None) -> Identity:
    """Return the identity of a person who buys, once the second factor is set up where the company asks for one."""
    found = g.tukku_identity = Identity(person, buyer)  # the settings ask it where the company stands
    if buyer is not None and not person.has_second_factor and second_factor_due(buyer):
        return Identity(person, must_enrol=True)
    return found


def second_factor_due(buyer: Buyer) -> bool:
    """Tell whether buyers in these roles need a second factor, as the setting says for their company."""
    needing = roles.SECOND_FACTOR[get("core", "buyer_second_factor", company=buyer.company.id)]
    return not buyer.roles.isdisjoint(needing)


def running(acting: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Return what the session says of acting for a buyer, unless its time is up."""
    if not acting or datetime.fromisoformat(acting["until"]) <= clock.now():
        return None
    return acting


def _acting_for(acting: Mapping[str, Any], buyer: Buyer) -> ActingFor:
    until = datetime.fromisoformat(acting["until"])
    return ActingFor(acting["user_id"], acting["name"], buyer.company, until, acting["reason"])


def actor_of(identity: Identity) -> Actor:
    """Return the actor that an identity amounts to."""
    person, buyer = identity.person, identity.buyer
    if person is None:
        return guest(roles.guest_permissions())
    if identity.must_enrol:
        return Actor(person.id, person.name, Scope("companies"), locale=person.locale)
    if identity.acting and buyer:
        held = roles.acting_permissions(buyer.roles, person.staff_roles)
        return Actor(
            person.id,
            person.name,
            company_scope(buyer, held),
            buyer.company.id,
            identity.acting.buyer_id,
            held,
            person.locale,
        )
    if buyer:
        held = roles.permissions_of(buyer.roles)
        return Actor(person.id, person.name, company_scope(buyer, held), buyer.company.id, None, held, person.locale)
    if person.is_staff:
        return Actor(
            person.id, person.name, _staff_scope(person), None, None, roles.permissions_of(person.staff_roles), person.locale
        )
    return Actor(person.id, person.name, Scope("companies"), permissions=frozenset({OWN_PROFILE}), locale=person.locale)


OWN_PROFILE = "accounts.profile.edit"
SUBTREE = "companies.subtree.view"


def company_scope(buyer: Buyer, held: frozenset[str]) -> Scope:
    """Return what a buyer sees: subsidiaries only with the permission for it, parents for what is inherited."""
    own = (buyer.company.id,)
    return Scope("companies", own, buyer.descendants if SUBTREE in held else own, buyer.ancestors)


def _staff_scope(person: Person) -> Scope:
    """Sales see their own portfolio where the deployment says so; everybody else of the staff sees all."""
    if person.staff_roles != ("sales",) or get("core", "sales_sees_all"):
        return Scope("merchant")
    ids = _buyers().portfolio(person.id)
    return Scope("portfolio", ids, ids, ids)


def guest_locale() -> str:
    """Return the language of a visitor: chosen here, else what the browser asks for."""
    chosen = request.cookies.get(LOCALE_COOKIE, "")
    return chosen if chosen in LOCALES else request.accept_languages.best_match(LOCALES) or "en"


def _buyers() -> Buyers:
    return cast(Buyers, current_app.extensions[_BUYERS])
