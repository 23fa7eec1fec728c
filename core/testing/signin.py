"""Sign a person in without the sign-in page: with the session that the page would begin, and its cookies."""

from __future__ import annotations

import contextvars
from http.cookies import SimpleCookie

from flask import Flask, session
from flask.globals import _cv_app
from flask.testing import FlaskClient
from flask_security.utils import login_user
from sqlalchemy import select

from core.accounts import sessions
from core.accounts.models import User
from core.data.db import db
from core.data.scope import set_actor, system


def sign_in(app: Flask, email: str) -> FlaskClient:
    """Return a client that is signed in as the person with ``email``."""
    client = app.test_client()
    for name, value in contextvars.copy_context().run(_cookies, app, email).items():
        client.set_cookie(name, value)
    return client


def _cookies(app: Flask, email: str) -> dict[str, str]:
    """Begin a session as signing in does, in a request of its own, and return the cookies of its answer."""
    _cv_app.set(None)  # type: ignore[arg-type]
    with app.test_request_context("/"):
        set_actor(system("tests"))
        user = db.session.scalar(select(User).where(User.email == email))
        if user is None:
            raise LookupError(f"there is no person {email}: make one with make_user() or make_staff()")
        login_user(user)
        sessions.sign_in(user.id, office=user.is_staff)
        response = app.response_class()
        app.session_interface.save_session(app, session, response)  # type: ignore[arg-type]
    jar = SimpleCookie()
    for header in response.headers.getlist("Set-Cookie"):
        jar.load(header)
    return {name: morsel.value for name, morsel in jar.items() if morsel.value}
