"""The design system as a domain: static files, saved views of lists, and the filters and globals of every template."""

from __future__ import annotations

from collections.abc import Iterable

from core.i18n import _l
from core.spec.app import Mount, Permission, TemplateHelper
from core.spec.markers import hookimpl
from core.ui import assets, views
from core.ui.formats import FILTERS
from core.ui.forms import form_errors
from core.ui.links import may_open, optional_url
from core.ui.saved import SHARE
from core.ui.slots import panels
from core.ui.states import state_of

GLOBALS = {
    "form_errors": form_errors,
    "may_open": may_open,
    "optional_url": optional_url,
    "panels": panels,
    "state_of": state_of,
}


class Plugin:
    """What the design system contributes."""

    @hookimpl
    def app_mounts(self) -> Iterable[Mount]:
        """Serve static files under addresses that change with their content; take what is saved of lists."""
        yield Mount(assets.bp, "shop", prefix="", order=1)
        yield Mount(views.bp, "shop", prefix="/list-views")

    @hookimpl
    def app_permissions(self) -> Iterable[Permission]:
        """Say who may share views of lists; one's own needs no permission of its own."""
        yield Permission(SHARE, _l("Share views of lists with all staff"), ("admin", "sales", "finance"))

    @hookimpl
    def app_template_helpers(self) -> Iterable[TemplateHelper]:
        """Give templates the formats and the helpers of the components."""
        yield from (TemplateHelper(name, value, "filter") for name, value in FILTERS.items())
        yield from (TemplateHelper(name, value) for name, value in GLOBALS.items())
