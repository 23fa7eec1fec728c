"""Forms of the back-office's catalogue. Fields per language and per attribute are made for each request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from babel import Locale
from flask_wtf.file import FileField, FileRequired
from wtforms import BooleanField, HiddenField, IntegerField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional, StopValidation

from core.catalog.saving import STATUSES
from core.catalog.structure import AttributeInfo, attributes, tree
from core.catalog.structuring import TYPES
from core.i18n import LOCALES, _, _l, current_locale
from core.ui.fields import ChoiceField, CodeField, NumberField
from core.ui.forms import TukkuForm
from core.ui.states import state_of

TAX_CLASSES = {"standard": _l("Standard rate"), "reduced": _l("Reduced rate"), "zero": _l("Zero rate")}
TYPE_NAMES = {"text": _l("Text"), "number": _l("Number"), "choice": _l("Choice"), "boolean": _l("Yes or no")}


def language_name(locale: str) -> str:
    """Return a language's name as the reader calls it."""
    return Locale.parse(locale).get_display_name(current_locale()) or locale


def category_choices() -> list[tuple[str, object]]:
    """Return the categories with the way to each, in the order of the tree."""
    known = tree()
    made: list[tuple[str, object]] = []

    def walk(parent: int | None) -> None:
        for node in known.children.get(parent, ()):
            made.append((node.code, " › ".join(step.name for step in known.line(node))))
            walk(node.id)

    walk(None)
    return made


class ProductBase(TukkuForm):
    """What every product has."""

    version = HiddenField()
    sku = CodeField(
        _l("Code (SKU)"), [InputRequired(), Length(max=80)], description=_l("Stays for ever: orders and imports name it.")
    )
    base_unit = StringField(
        _l("Base unit"),
        [InputRequired(), Length(max=20)],
        description=_l("Such as pcs, m or kg. Stays: prices and stock count in it."),
    )
    category = ChoiceField(_l("Category"), options=category_choices, empty=_l("None"))
    status = ChoiceField(
        _l("Status"),
        options=lambda: [(s, state_of(s).label) for s in STATUSES],
        description=_l("Blocked: shown, not sold. Discontinued: found only by its code."),
    )
    superseded_by = CodeField(
        _l("Replaced by"), [Optional(), Length(max=80)], description=_l("The code of the product that replaces it.")
    )
    tax_class = ChoiceField(_l("Tax class"), options=lambda: list(TAX_CLASSES.items()))
    gtin = StringField(_l("GTIN"), [Optional(), Length(max=20)])
    manufacturer = StringField(_l("Manufacturer"), [Optional(), Length(max=120)])
    manufacturer_code = StringField(_l("Manufacturer's code"), [Optional(), Length(max=80)])
    weight_kg = NumberField(_l("Weight"), unit_label="kg", minimum=0, places=6)
    position = IntegerField(
        _l("Position"),
        [Optional(), NumberRange(-1_000_000, 1_000_000)],
        description=_l("Smaller numbers come first in lists."),
    )


def product_form(**values: Any) -> ProductBase:
    """Return the form with a name and description in each language and a field for each attribute."""
    fields: dict[str, Any] = {}
    for locale in LOCALES:
        language = language_name(locale)
        fields[f"name_{locale}"] = StringField(_("Name in %(language)s", language=language), [Length(max=250)])
        fields[f"description_{locale}"] = TextAreaField(
            _("Description in %(language)s", language=language), [Length(max=20_000)]
        )
    for attribute in attributes().values():
        fields[attribute_field(attribute)] = _attribute_field(attribute)
    return type("ProductForm", (ProductBase,), fields)(**values)  # type: ignore[no-any-return]


def attribute_field(attribute: AttributeInfo) -> str:
    """Return the name of an attribute's field."""
    return f"attribute_{attribute.id}"


def _attribute_field(attribute: AttributeInfo) -> Any:
    if attribute.type == "boolean":
        return ChoiceField(attribute.name, options=[("yes", _("Yes")), ("no", _("No"))], empty="–")
    if attribute.numeric:
        return NumberField(attribute.name, unit_label=attribute.unit, places=6, minimum=-(10**12))
    return StringField(attribute.name, [Length(max=250)])


class MediaForm(TukkuForm):
    """A picture or document to be added."""

    file = FileField(
        _l("Picture or PDF"),
        [FileRequired(_l("Choose a file."))],
        description=_l("PNG, JPEG, GIF, WebP or SVG up to 5 MB; PDF up to 25 MB."),
    )
    title = StringField(_l("Title"), [Length(max=200)])


class NamesMixin:
    """Reads and writes the fields ``name_<locale>`` of a form."""

    def names(self) -> dict[str, str]:
        """Return the names that were given."""
        return {locale: text for locale in LOCALES if (text := (self[f"name_{locale}"].data or "").strip())}  # type: ignore[index]


def names_of(texts: Mapping[str, str]) -> dict[str, str]:
    """Return the values of the fields ``name_<locale>``."""
    return {f"name_{locale}": texts.get(locale, "") for locale in LOCALES}


class CategoryBase(NamesMixin, TukkuForm):
    """A category."""

    code = CodeField(
        _l("Code"), [InputRequired(), Length(max=60)], description=_l("Part of the address of its page; stays for ever.")
    )
    parent = ChoiceField(_l("Within"), options=category_choices, empty=_l("At the top"))
    position = IntegerField(
        _l("Position"), [Optional(), NumberRange(-1_000_000, 1_000_000)], description=_l("Smaller numbers come first.")
    )
    hidden = BooleanField(_l("Hidden"), description=_l("Takes the category and everything beneath it out of the shop."))


class AttributeBase(NamesMixin, TukkuForm):
    """An attribute."""

    code = CodeField(
        _l("Code"), [InputRequired(), Length(max=60)], description=_l("The column attr:code of imports; stays for ever.")
    )
    type = ChoiceField(_l("Type"), options=lambda: [(t, TYPE_NAMES[t]) for t in TYPES])
    unit = StringField(_l("Unit of measure"), [Length(max=20)], description=_l("Such as mm, for numbers."))
    facet = BooleanField(_l("Filter in the shop"), description=_l("Buyers can narrow lists by it."))
    position = IntegerField(
        _l("Position"), [Optional(), NumberRange(-1_000_000, 1_000_000)], description=_l("Smaller numbers come first.")
    )


def named_form(base: type[TukkuForm], **values: Any) -> Any:
    """Return a form with a name in each language; at least one has to be given."""
    fields: dict[str, Any] = {}
    for place, locale in enumerate(LOCALES):
        checks: list[Any] = [Length(max=200)] if place else [_some_name, Length(max=200)]
        fields[f"name_{locale}"] = StringField(_("Name in %(language)s", language=language_name(locale)), checks)
    return type(base.__name__, (base,), fields)(**values)


def _some_name(form: Any, field: Any) -> None:
    if not form.names():
        raise StopValidation(_("Give a name in at least one language."))


class ItemCodeForm(TukkuForm):
    """A company's own code for a product."""

    company = CodeField(
        _l("Company"),
        [InputRequired(), Length(max=40)],
        description=_l("The company's code; its subsidiaries find the product by it, too."),
    )
    code = StringField(_l("Its code"), [InputRequired(), Length(max=80)])
    sku = CodeField(_l("Product"), [InputRequired(), Length(max=80)], description=_l("Our code."))
