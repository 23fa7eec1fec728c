"""Mails to people in their own language, with links whose host comes from the configuration, never from a request."""

from __future__ import annotations

from typing import Any

from flask import current_app, url_for


def path_of(endpoint: str, **values: Any) -> str:
    """Return the path of a page of this shop, outside requests too."""
    return url_for(endpoint, _external=False, **values)


def absolute(path: str) -> str:
    """Return the full address of a path of this shop."""
    base: str = current_app.extensions["tukku.config"].url
    return base + path


def address_of(endpoint: str, **values: Any) -> str:
    """Return the full address of a page of this shop, for a mail."""
    return absolute(path_of(endpoint, **values))
