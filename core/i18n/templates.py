"""gettext in templates: a template's owner is the first folder of its name, core for all of core's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import Environment, pass_context
from jinja2.runtime import Context

from core.i18n.texts import Texts, texts_of


def install(environment: Environment, packages: Mapping[str, str]) -> None:
    """Give templates ``_``, ``ngettext`` and ``pgettext``.

    ``packages`` maps the name of each enabled addon to its import name; its templates use its own domain.
    """

    def texts(context: Context) -> Texts:
        owner = (context.name or "").partition("/")[0]
        package = packages.get(owner)
        return texts_of(package, owner) if package else texts_of("core", "core")

    def using(which: Callable[[Texts], Callable[..., str]]) -> Any:
        @pass_context
        def call(context: Context, *args: Any, **kwargs: Any) -> str:
            return which(texts(context))(*args, **kwargs)

        return call

    environment.globals.update(
        _=using(lambda t: t.gettext),
        gettext=using(lambda t: t.gettext),
        ngettext=using(lambda t: t.ngettext),
        pgettext=using(lambda t: t.pgettext),
    )
