"""The extension behind the addresses: registers resources and writes the OpenAPI document of what runs here.

flask-smorest would answer every error of the whole shop in its own form, so its handlers are left out: core.runtime.errors
answers below /api with problem+json. Components of addons carry the addon's name; the same name twice stops the build.
"""

from __future__ import annotations

from typing import Any

from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask
from flask_smorest import Api, Blueprint
from webargs.flaskparser import FlaskParser

from core.registry.failure import AddonFailed
from core.registry.registry import EXTENSION, Registry
from core.restapi.fields import Problem
from core.version import VERSION

ROOT = "/api/v1"
KEY = "tukku.api"
_SECURITY = {"type": "http", "scheme": "bearer", "description": "An API key: `Authorization: Bearer tukku_…`"}
_ABOUT = (
    "Prices and orders of the shop for programs. Decimals are strings. Errors are `application/problem+json`. "
    "A POST with an `Idempotency-Key` is carried out once: the same key answers the same. Lists are paged by `cursor`."
)


class ShopApi(Api):
    """Registers and documents; leaves errors to core."""

    ERROR_SCHEMA = Problem
    DEFAULT_RESPONSE_CONTENT_TYPE = "application/json"

    def _register_error_handlers(self) -> None:
        """Leave the handlers of the app alone."""

    def _register_responses(self) -> None:
        """Document errors as problem+json."""
        self.DEFAULT_RESPONSE_CONTENT_TYPE = "application/problem+json"
        try:
            super()._register_responses()
        finally:
            self.DEFAULT_RESPONSE_CONTENT_TYPE = "application/json"


class Names:
    """Names components after their schemas, those of addons with the addon before; refuses a name that is taken."""

    def __init__(self, registry: Registry) -> None:
        self._addons = {found.import_name: found.name for found in registry.plan.order}
        self._taken: dict[str, type] = {}
        self.owner = ""

    def __call__(self, schema: Any) -> str:
        kind = schema if isinstance(schema, type) else type(schema)
        name = self._prefix(kind.__module__) + kind.__name__.removesuffix("Schema")
        if getattr(schema, "partial", False):
            name += "Patch"
        other = self._taken.setdefault(name, kind)
        if other is not kind:
            both = f"{kind.__module__} and {other.__module__}"
            text = f"schemas of {both} both make the component {name}"
            raise AddonFailed(self.owner, f"{self.owner}: {text}; rename one.", "api_resources")
        return name

    def _prefix(self, module: str) -> str:
        addon = next((a for name, a in self._addons.items() if module == name or module.startswith(f"{name}.")), "")
        return "".join(part.capitalize() for part in addon.split("_"))


def init_document(app: Flask) -> None:
    """Register every contributed resource with the app; `AddonFailed` names the addon whose resource cannot be."""
    registry: Registry = app.extensions[EXTENSION]
    names = Names(registry)
    app.config.update(API_TITLE="Tukku", API_VERSION=VERSION, OPENAPI_VERSION="3.1.0")
    api = ShopApi(
        app,
        spec_kwargs={
            "marshmallow_plugin": MarshmallowPlugin(schema_name_resolver=names),
            "info": {"description": _ABOUT},
            "servers": [{"url": app.extensions["tukku.config"].url}],
            "security": [{"key": []}],
        },
    )
    api.spec.components.security_scheme("key", _SECURITY)
    owners: dict[str, str] = app.extensions.setdefault("tukku.blueprints", {})
    for contribution in registry.contributions("api_resources"):
        owner, found = contribution.owner, contribution.value
        names.owner = owner
        prefix = f"{ROOT}/{found.name}" if registry.is_core(owner) else f"{ROOT}/{owner}/{found.name}"
        owners[found.blueprint.name] = owner
        try:
            api.register_blueprint(found.blueprint, url_prefix=prefix)
        except AddonFailed:
            raise
        except Exception as error:
            text = f"{owner}: the API resource {found.name} cannot be registered: {error}"
            raise AddonFailed(owner, f"{text.rstrip('.')}.", "api_resources") from error
    app.extensions[KEY] = api


class Parser(FlaskParser):
    """Leaves it to the schema whether an unknown parameter is an error: a misspelt filter must not list everything."""

    DEFAULT_UNKNOWN_BY_LOCATION: Any = {}


class ResourceBlueprint(Blueprint):
    """A blueprint whose arguments are read by `Parser`."""

    ARGUMENTS_PARSER = Parser()


def resource(name: str, import_name: str, description: str = "") -> Blueprint:
    """Return the blueprint of a resource; ``name`` is the blueprint's, ``<addon>_<something>``."""
    return ResourceBlueprint(name, import_name, description=description)
