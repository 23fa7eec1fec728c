"""For tests of who sees prices."""

from __future__ import annotations

from flask import Flask

from core.accounts import roles
from core.pricing.services import VIEW


def hide_prices(app: Flask, *names: str) -> None:
    """Take the permission to see prices from roles, by default from every role of buyers, as long as the app lives."""
    with app.app_context():
        held = roles._by_role()
        app.extensions[roles._KEY] = {**held, **{role: held[role] - {VIEW} for role in names or roles.BUYER}}
