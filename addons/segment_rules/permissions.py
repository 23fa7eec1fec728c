"""The addon's permission."""

from core.api.hooks import Permission
from core.api.i18n import translations

_, _l, ngettext, _p = translations(__name__)
EDIT = "segment_rules.rule.edit"
PERMISSIONS = (Permission(EDIT, _l("Set the rules of segments"), ("admin", "sales")),)
