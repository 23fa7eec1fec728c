"""Headers, request ids, limits: what every answer carries, whoever wrote the view."""

from __future__ import annotations

import uuid

from flask import Flask, Response, g, request
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from core.runtime.config import Config

CSP = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "object-src 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
YEAR = 31_536_000

csrf = CSRFProtect()


def flask_settings(config: Config) -> dict[str, object]:
    """Return the settings of Flask and its extensions that follow from the deployment's."""
    return {
        "SECRET_KEY": config.require_secret(),
        "TRUSTED_HOSTS": list(config.trusted_hosts),
        "SERVER_NAME": config.url.split("://", 1)[1],
        "PREFERRED_URL_SCHEME": "https" if config.https else "http",
        "MAX_CONTENT_LENGTH": config.max_upload_mb * 1024 * 1024,
        "MAX_FORM_MEMORY_SIZE": 4 * 1024 * 1024,
        "MAX_FORM_PARTS": 10_000,
        "SESSION_COOKIE_NAME": "tukku_session",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": config.https,
        "WTF_CSRF_TIME_LIMIT": None,  # as long as the session: an order form may stay open over lunch
        "WTF_CSRF_SSL_STRICT": config.https,
        "TESTING": config.testing,
    }


def init_security(app: Flask, config: Config) -> None:
    """Give ``app`` CSRF protection, security headers and request ids."""
    csrf.init_app(app)
    app.before_request(_identify)
    app.after_request(_Headers(config.https))
    if config.proxies:
        count = config.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]


def _identify() -> None:
    g.request_id = uuid.uuid4().hex


class _Headers:
    """Adds the headers that a view has not set itself."""

    def __init__(self, https: bool) -> None:
        self.headers = dict(HEADERS)
        if https:
            self.headers["Strict-Transport-Security"] = f"max-age={YEAR}"

    def __call__(self, response: Response) -> Response:
        for name, value in self.headers.items():
            response.headers.setdefault(name, value)
        if response.mimetype == "text/html" and "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
        response.headers["X-Request-ID"] = g.get("request_id", "")
        if request.cookies:
            response.vary.add("Cookie")
        return response
