"""The storefront's frame, home and settings."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Flask

from core.i18n import _l
from core.spec.app import Mount, SettingSpec, TemplateHelper
from core.spec.markers import hookimpl
from core.storefront import shell
from core.storefront.views import bp


class Plugin:
    """What the storefront contributes."""

    @hookimpl
    def app_mounts(self) -> Iterable[Mount]:
        """Mount the home page at the root."""
        yield Mount(bp, "shop", prefix="")

    @hookimpl
    def app_template_helpers(self) -> Iterable[TemplateHelper]:
        """Give templates what the frames show."""
        yield TemplateHelper("site", shell.site)
        yield TemplateHelper("shop_shell", shell.shop_shell)

    @hookimpl
    def app_settings(self) -> Iterable[SettingSpec]:
        """Let the merchant name and colour the shop."""
        look = _l("Look")
        yield SettingSpec(
            "shop_name", str, "", _l("Name of the shop"), _l("Stands beside the logo. Empty: the seller's name."), group=look
        )
        yield SettingSpec(
            "accent",
            str,
            "",
            _l("Accent colour"),
            _l(
                "Six hexadecimal digits, such as 0b6170; made darker or lighter until text in it can be read. Empty: petrol."
            ),
            group=look,
        )


def init_app(app: Flask) -> None:
    """Let instants be shown in the seller's zone."""
    app.extensions["tukku.zone"] = shell.zone
