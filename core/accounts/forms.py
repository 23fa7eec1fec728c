"""Forms of signing in, of one's own account, and of the merchant's staff."""

from __future__ import annotations

from typing import Any

from wtforms import EmailField, PasswordField, SelectMultipleField, StringField
from wtforms.validators import InputRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from core.accounts.roles import STAFF, TITLES
from core.i18n import LOCALES, _l
from core.ui.fields import ChoiceField, choices
from core.ui.forms import TukkuForm

LANGUAGES = {"en": "English", "fi": "Suomi", "pl": "Polski", "tr": "Türkçe"}


class ChecksField(SelectMultipleField):
    """Several of some values, as check boxes; drawn by ``checks`` in accounts/_fields.html."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    def __init__(self, label: Any = None, validators: Any = None, *, options: Any = (), **kwargs: Any) -> None:
        pairs = options() if callable(options) else options
        super().__init__(label, validators, choices=choices(pairs), **kwargs)


def password_field(label: object, kind: str) -> PasswordField:
    """Return a password field; ``kind`` (current, new) tells password managers which."""
    return PasswordField(label, [InputRequired()], render_kw={"autocomplete": f"{kind}-password", "maxlength": 256})


def language_field() -> ChoiceField:
    """Return a field for the language of a person."""
    return ChoiceField(_l("Language"), options=[(code, LANGUAGES[code]) for code in LOCALES])


class LoginForm(TukkuForm):
    """Address and password."""

    email = EmailField(_l("E-mail"), [InputRequired()], render_kw={"autocomplete": "username", "autofocus": True})
    password = password_field(_l("Password"), "current")


class CodeForm(TukkuForm):
    """A code of the authenticator, or a recovery code."""

    code = StringField(
        _l("Code"),
        [InputRequired(), Length(max=20)],
        render_kw={"autocomplete": "one-time-code", "inputmode": "text", "autofocus": True},
    )


class ForgotForm(TukkuForm):
    """The address to which a link is sent."""

    email = EmailField(_l("E-mail"), [InputRequired()], render_kw={"autocomplete": "username", "autofocus": True})


class NewPasswordForm(TukkuForm):
    """A new password."""

    password = password_field(_l("New password"), "new")


class ProveForm(TukkuForm):
    """The password once more, before credentials are touched."""

    password = password_field(_l("Password"), "current")


class ChangePasswordForm(TukkuForm):
    """The present password and a new one."""

    old = password_field(_l("Present password"), "current")
    password = password_field(_l("New password"), "new")


class ProfileForm(TukkuForm):
    """One's own name and language."""

    name = StringField(_l("Your name"), [InputRequired(), Length(max=200)], render_kw={"autocomplete": "name"})
    locale = language_field()


def staff_roles() -> list[tuple[str, object]]:
    """Return the staff roles with their titles."""
    return [(role, TITLES[role]) for role in STAFF]


class InviteStaffForm(TukkuForm):
    """Somebody new on the staff."""

    email = EmailField(_l("E-mail"), [InputRequired()])
    name = StringField(_l("First and last name"), [InputRequired(), Length(max=200)])
    locale = language_field()
    roles = ChecksField(_l("Roles"), options=staff_roles)


class StaffForm(TukkuForm):
    """A member of staff."""

    name = StringField(_l("First and last name"), [InputRequired(), Length(max=200)])
    locale = language_field()
    roles = ChecksField(_l("Roles"), options=staff_roles)
