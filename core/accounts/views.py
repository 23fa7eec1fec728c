"""Pages of signing in and of one's own account."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, session, url_for

from core.accounts import acting, identity, links, login, second_factor, sessions, users
from core.accounts.forms import (
    ChangePasswordForm,
    CodeForm,
    ForgotForm,
    LoginForm,
    NewPasswordForm,
    ProfileForm,
    ProveForm,
)
from core.accounts.models import User
from core.data import audit
from core.data.db import db
from core.data.write import write
from core.i18n import LOCALES, _, ngettext, speaking
from core.spec.errors import TukkuError
from core.ui.access import public, requires
from core.ui.forms import refuse
from core.ui.links import safe_next

bp = Blueprint("accounts", __name__)
OWN = "accounts.profile.edit"
YEAR = 365 * 24 * 3600  # seconds


def home_url() -> str:
    """Return where a person starts: staff in the back-office, buyers in the shop."""
    person = identity.current().person
    if person is not None and person.is_staff and "backoffice.home" in current_app.view_functions:
        return url_for("backoffice.home")
    return "/"


@bp.route("/login", methods=["GET", "POST"], endpoint="login")
@public("signing in is for those who have not")
def login_page() -> Any:
    """Ask for address and password."""
    target = request.values.get("next", "")
    if request.method == "GET" and identity.current().person is not None:
        return redirect(safe_next(target, home_url()))
    form = LoginForm()
    if form.validate_on_submit():
        try:
            step = login.with_password(form.email.data or "", form.password.data or "")
        except TukkuError as error:
            return _refused("accounts/login.html", form, error, target=target)
        if step is login.Step.SECOND_FACTOR:
            return redirect(url_for("accounts.code", next=target or None), 303)
        return redirect(safe_next(target, home_url()), 303)
    return render_template("accounts/login.html", form=form, target=target), 422 if form.is_submitted() else 200


@bp.route("/login/code", methods=["GET", "POST"])
@public("the second half of signing in")
def code() -> Any:
    """Ask for the second factor."""
    target = request.values.get("next", "")
    if login.pending() is None:
        return redirect(url_for("accounts.login", next=target or None), 303)
    form = CodeForm()
    if form.validate_on_submit():
        try:
            login.with_second_factor(form.code.data or "")
        except TukkuError as error:
            return _refused("accounts/code.html", form, error, target=target)
        return redirect(safe_next(target, home_url()), 303)
    return render_template("accounts/code.html", form=form, target=target), 422 if form.is_submitted() else 200


def _refused(template: str, form: Any, error: TukkuError, **context: Any) -> Any:
    refuse(form, error)
    return render_template(template, form=form, **context), error.status


@bp.post("/logout")
@public("whoever has a session may end it")
def logout() -> Any:
    """End the session."""
    login.sign_out()
    flash(_("You have signed out."), "success")
    return redirect(url_for("accounts.login"), 303)


@bp.route("/password/forgot", methods=["GET", "POST"])
@public("who has forgotten a password cannot sign in")
def forgot() -> Any:
    """Send a link to choose a new password; the answer says nothing about who has an account."""
    form = ForgotForm()
    if form.validate_on_submit():
        try:
            login.ask_for_reset(form.email.data or "")
        except TukkuError as error:
            return _refused("accounts/forgot.html", form, error)
        return render_template("accounts/forgot_sent.html", email=form.email.data)
    return render_template("accounts/forgot.html", form=form), 422 if form.is_submitted() else 200


@bp.route("/password/new/<token>", methods=["GET", "POST"])
@public("the link itself is the right to use it")
def reset(token: str) -> Any:
    """Choose a new password with a link."""
    user = links.holder(token)
    form = NewPasswordForm()
    if form.validate_on_submit():
        try:
            login.finish_reset(token, form.password.data or "")
        except TukkuError as error:
            return _refused("accounts/reset.html", form, error, email=user.email, token=token)
        flash(_("Your password is set. Sign in with it now."), "success")
        return redirect(url_for("accounts.login"), 303)
    return render_template(
        "accounts/reset.html", form=form, email=user.email, token=token
    ), 422 if form.is_submitted() else 200


@bp.post("/account/acting/stop")
@public("it only gives up what the session may do")
def stop_acting() -> Any:
    """Stop acting for a buyer and go back to the back-office."""
    acting.stop()
    identity.load_actor()
    flash(_("You act for yourself again."), "success")
    return redirect(home_url(), 303)


@bp.post("/language")
@public("everybody may read the shop in a language of choice")
def set_locale() -> Any:
    """Speak the chosen language from now on: to this browser, and to the person who is signed in."""
    chosen = request.form.get("locale", "")
    if chosen not in LOCALES:
        abort(400)
    _keep_locale(chosen)
    answer = redirect(safe_next(request.form.get("next"), home_url()), 303)
    answer.set_cookie(identity.LOCALE_COOKIE, chosen, max_age=YEAR, secure=request.is_secure, httponly=True, samesite="Lax")
    return answer


def _keep_locale(chosen: str) -> None:
    person = identity.current().person
    if person is None or person.locale == chosen:
        return
    with write():
        users.update_user(me(), locale=chosen)
        audit.record("user", person.code, "changed", after={"locale": chosen})


def me() -> User:
    """Return the signed-in person."""
    person = identity.current().person
    assert person is not None, "the gate lets only signed-in people in here"
    return db.session.get_one(User, person.id)


@bp.route("/account", methods=["GET", "POST"])
@requires(OWN)
def profile() -> Any:
    """Show and change one's own name and language."""
    user = me()
    form = ProfileForm(obj=user)
    if form.validate_on_submit():
        with write():
            if users.update_user(user, name=form.name.data, locale=form.locale.data):
                audit.record("user", user.code, "changed", after={"name": user.name, "locale": user.locale})
        with speaking(user.locale):  # the page that shows it is in the language just chosen
            flash(_("Your details are saved."), "success")
        return redirect(url_for("accounts.profile"), 303)
    page = render_template("accounts/profile.html", form=form, user=user, who=identity.current(), office=_office())
    return page, 422 if form.is_submitted() else 200


@bp.get("/account/security")
@requires(OWN)
def security() -> Any:
    """Show password, second factor and sessions."""
    return _security(ChangePasswordForm())


def _security(form: ChangePasswordForm) -> str:
    user = me()
    return render_template(
        "accounts/security.html",
        form=form,
        user=user,
        sessions=sessions.sessions_of(user.id),
        is_current=sessions.is_current,
        remaining=second_factor.remaining(user),
        required=second_factor.required(),
        office=_office(),
    )


def _office() -> bool:
    """Tell whether the page belongs into the back-office's frame: for staff who are not buying."""
    who = identity.current()
    return who.person is not None and who.person.is_staff and who.buyer is None


@bp.post("/account/password")
@requires(OWN)
def change_password() -> Any:
    """Change one's own password."""
    form = ChangePasswordForm()
    if not form.validate_on_submit():
        return _security(form), 422
    company = identity.current().company
    try:
        users.change_password(me(), form.old.data or "", form.password.data or "", about=(company.name,) if company else ())
    except TukkuError as error:
        refuse(form, error)
        return _security(form), error.status
    sessions.rotate()
    flash(_("Your password is changed. Your other sessions have ended."), "success")
    return redirect(url_for("accounts.security"), 303)


@bp.route("/account/prove", methods=["GET", "POST"])
@requires(OWN)
def prove() -> Any:
    """Ask for the password once more, before credentials are touched."""
    target = request.values.get("next", "")
    form = ProveForm()
    if form.validate_on_submit():
        try:
            login.prove(me(), form.password.data or "")
        except TukkuError as error:
            return _refused("accounts/prove.html", form, error, target=target)
        return redirect(safe_next(target, url_for("accounts.security")), 303)
    return render_template("accounts/prove.html", form=form, target=target), 422 if form.is_submitted() else 200


def _ask_again(endpoint: str) -> Any:
    """Send a person whose proof is old to give the password again, and then to a page."""
    return redirect(url_for("accounts.prove", next=url_for(endpoint)), 303)


@bp.get("/account/second-factor", endpoint="second_factor")
@requires(OWN)
def second_factor_page() -> Any:
    """Set up an authenticator."""
    return _second_factor(CodeForm())


def _second_factor(form: CodeForm) -> str:
    user, secret = me(), session.get("totp_setup")
    setup = second_factor.enrolment(secret, user.email) if secret else None
    who = identity.current()
    return render_template("accounts/second_factor.html", form=form, user=user, setup=setup, must=who.must_enrol)


@bp.post("/account/second-factor/begin")
@requires(OWN)
def second_factor_begin() -> Any:
    """Make a secret for the authenticator."""
    if not login.is_fresh():
        return _ask_again("accounts.second_factor")
    session["totp_setup"] = second_factor.new_secret()
    return redirect(url_for("accounts.second_factor"), 303)


@bp.post("/account/second-factor/confirm")
@requires(OWN)
def second_factor_confirm() -> Any:
    """Switch the second factor on, and show the recovery codes this once."""
    form, secret = CodeForm(), session.get("totp_setup")
    if not secret:
        return redirect(url_for("accounts.second_factor"), 303)
    if not form.validate_on_submit():
        return _second_factor(form), 422
    try:
        codes = second_factor.enrol(me().id, secret, form.code.data or "")
    except TukkuError as error:
        refuse(form, error)
        return _second_factor(form), error.status
    session.pop("totp_setup", None)
    sessions.rotate()
    return render_template("accounts/recovery_codes.html", codes=codes, next_url=home_url())


@bp.post("/account/second-factor/codes")
@requires(OWN)
def recovery_codes() -> Any:
    """Make new recovery codes."""
    if not login.is_fresh():
        return _ask_again("accounts.security")
    codes = second_factor.renew_recovery_codes(me().id)
    return render_template("accounts/recovery_codes.html", codes=codes, next_url=url_for("accounts.security"))


@bp.post("/account/second-factor/off")
@requires(OWN)
def second_factor_off() -> Any:
    """Switch one's own second factor off, where it is not required."""
    if not login.is_fresh():
        return _ask_again("accounts.security")
    second_factor.remove(me())
    flash(_("The second factor is off. Your password alone signs you in now."), "warning")
    return redirect(url_for("accounts.security"), 303)


@bp.post("/account/sessions/end")
@requires(OWN)
def end_session() -> Any:
    """End one of one's own sessions, or all others."""
    user = me()
    if request.form.get("session") == "others":
        ended = sessions.revoke_all(user.id, keep_current=True)
    else:
        ended = int(sessions.revoke(user.id, request.form.get("session", "")))
    with write():
        audit.record("user", me().code, "sessions_ended", after={"count": ended})
    flash(ngettext("%(count)s session has ended.", "%(count)s sessions have ended.", ended), "success")
    return redirect(url_for("accounts.security"), 303)
