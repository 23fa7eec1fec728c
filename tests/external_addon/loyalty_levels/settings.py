"""What the merchant decides about levels."""

from core.api.hooks import SettingSpec
from core.api.i18n import translations

_, _l, ngettext, _p = translations(__name__)
_GROUP = _l("Loyalty levels")

SETTINGS = (
    SettingSpec("window_days", int, 365, _l("Days that count"), minimum=1, maximum=3650, group=_GROUP, order=10),
    SettingSpec("grace_days", int, 30, _l("Days a lost level is kept"), minimum=0, maximum=365, group=_GROUP, order=20),
    SettingSpec(
        "sale_category",
        str,
        "",
        _l("Category of the sale"),
        _l("Its code: what is in it, or below, neither counts nor gets a discount. Empty: there is no sale."),
        group=_GROUP,
        order=30,
    ),
)
