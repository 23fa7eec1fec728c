"""The form of a segment's rule."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from wtforms import BooleanField, IntegerField, StringField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from core.api.catalog import Category
from core.api.companies import Company, Segment, seller
from core.api.data import db
from core.api.i18n import pick, translations
from core.api.ui import ChoiceField, NumberField, TukkuForm

from .models import Rule
from .services import Wanted

_, _l, ngettext, _p = translations(__name__)
MOST = 10**12


def categories() -> list[tuple[str, object]]:
    """Return the categories by code, in the order of the tree."""
    rows = db.session.execute(select(Category.code, Category.name, Category.path).order_by(Category.path))
    return [(code, "\u2003" * (path.count("/") - 2) + pick(name)) for code, name, path in rows]


def free_segments() -> list[tuple[str, object]]:
    """Return the segments without a rule."""
    taken = select(Rule.segment_id)
    rows = db.session.execute(select(Segment.code, Segment.name).where(Segment.id.not_in(taken)).order_by(Segment.code))
    return [(code, f"{pick(name)} ({code})") for code, name in rows]


class RuleForm(TukkuForm):
    """Conditions; every one that is filled in counts."""

    min_spend = NumberField(
        _l("Spend at least"), [Optional(), NumberRange(0, MOST)], places=2,
        description=_l("Net, without what came back; subsidiaries count with their parent."),
    )  # fmt: skip
    min_orders = IntegerField(_l("Orders at least"), [Optional(), NumberRange(1, 10**6)])
    min_share = NumberField(
        _l("Share of the spend at least"), [Optional(), NumberRange(0, 100)], places=2, unit_label="%",
        description=_l("What the category below makes up of it."),
    )  # fmt: skip
    category = ChoiceField(_l("Category of the share"), options=categories, empty=_l("No category"), default="")
    countries = StringField(
        _l("Countries"), [Length(max=200)], description=_l("Codes with commas, such as FI, SE. Empty: any country.")
    )
    window_days = IntegerField(_l("Counted over the last days"), [InputRequired(), NumberRange(1, 3660)], default=365)
    grace_days = IntegerField(
        _l("Days until a company leaves"), [InputRequired(), NumberRange(0, 3660)], default=0,
        description=_l("Who no longer fulfils the rule stays this long. 0: until the next evaluation."),
    )  # fmt: skip
    active = BooleanField(_l("Active"), default=True, description=_l("While it is not, nobody joins or leaves."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.min_spend.unit_label = seller().currency

    @classmethod
    def of(cls, rule: Rule) -> RuleForm:
        """Return the form filled from a rule."""
        names = ("min_spend", "min_orders", "min_share", "window_days", "grace_days", "active")
        values: dict[str, Any] = {name: getattr(rule, name) for name in names}
        values["category"] = rule.category.code if rule.category is not None else ""
        return cls(data={**values, "countries": ", ".join(rule.countries)})

    def wanted(self) -> Wanted | None:
        """Return what is wanted; None with the errors at their fields where conditions do not go together."""
        codes = tuple(dict.fromkeys(code.strip().upper() for code in (self.countries.data or "").split(",") if code.strip()))
        bad = [code for code in codes if len(code) != 2 or not code.isalpha()]
        category_id = None
        if self.category.data:
            category_id = db.session.scalar(select(Category.id).where(Category.code == self.category.data))
        if bad:
            _refuse(self.countries, _("“%(code)s” is not the code of a country: two letters, such as FI.", code=bad[0]))
        elif codes and not set(codes) & _known():
            known = ", ".join(sorted(_known())[:20])
            _refuse(self.countries, _("No company is in one of these countries. There are: %(codes)s.", codes=known))
        if (self.min_share.data is None) != (category_id is None):
            _refuse(self.min_share, _("A share needs both a percent and a category."))
        asked = (self.min_spend.data, self.min_orders.data, self.min_share.data)
        if all(value is None for value in asked) and not codes:
            _refuse(self.min_spend, _("Fill in one condition at least; else every company would be in the segment."))
        if self.errors:
            return None
        return Wanted(
            bool(self.active.data), self.window_days.data, self.grace_days.data, self.min_spend.data, self.min_orders.data,
            category_id, self.min_share.data, codes,
        )  # fmt: skip


class NewRuleForm(RuleForm):
    """The same, and for which segment."""

    segment = ChoiceField(_l("Segment"), [InputRequired()], options=free_segments)


def _known() -> set[str]:
    return set(db.session.scalars(select(Company.country).distinct()))


def _refuse(field: Any, text: str) -> None:
    field.errors = [*field.errors, text]
