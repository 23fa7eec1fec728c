"""Forms: WTForms by hand, with the sections of addons validated and saved together with core's own part.

A page with a form of its own is ``show_form``; where addons add sections, they are validated and saved with it::

    form, sections = CompanyForm(obj=company), sections_of("company.edit", company.id)
    if form.validate_on_submit() & sections.validate():
        with write():
            company = save_company(form.data)
            sections.save(company.id)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flask import render_template
from flask_wtf import FlaskForm
from wtforms import Form, PasswordField, StringField, TextAreaField
from wtforms.i18n import get_translations

from core.data.scope import actor_or_none
from core.i18n import current_locale
from core.i18n.characters import cleaned, one_line, problem_in
from core.registry.registry import registry
from core.spec.errors import TukkuError
from core.spec.orders import CheckoutStep
from core.spec.ui import FormSection
from core.ui.incoming import unchecked


class TukkuForm(FlaskForm):
    """The base of every form: CSRF by Flask-WTF, WTForms' own messages in the reader's language."""

    class Meta(FlaskForm.Meta):
        """Takes the language from the page, not from the browser."""

        def get_translations(self, form: Any) -> Any:
            """Return WTForms' own messages in the reader's language."""
            return get_translations([current_locale()])

        def wrap_formdata(self, form: Any, formdata: Any) -> Any:
            """Take texts as they came: `validate` says at each field what is wrong."""
            return unchecked(super().wrap_formdata(form, formdata))

    def validate(self, extra_validators: Any = None) -> bool:
        """Validate the fields; a character that cannot be kept is named at its field, and taken out of what is shown."""
        texts = list(_texts(self))
        for field in texts:
            if isinstance(field.data, str) and not isinstance(field, TextAreaField | PasswordField):
                field.data = one_line(field.data)
        good = super().validate(extra_validators)
        for field in self:
            if field.process_errors:  # what could not be read needs no second sentence about its size
                field.errors = list(field.process_errors)
        for field in texts:
            sent = next((text for text in field.raw_data or () if isinstance(text, str)), "")
            if problem := problem_in(sent):
                good, field.errors, field.raw_data = False, [problem], [cleaned(sent)]
                if isinstance(field.data, str):
                    field.data = cleaned(field.data)
        return good


def refuse(form: Form, error: TukkuError) -> None:
    """Show a service's refusal at the field that it names (``details["field"]``), else above the form."""
    field = str((error.details or {}).get("field", ""))
    if field in form:
        form[field].errors = [*form[field].errors, str(error.message)]
    else:
        form.form_errors.append(str(error.message))


def show_form(form: TukkuForm, template: str, save: Callable[[], Any], **context: Any) -> Any:
    """Show a form as a page; once it is sent and is right, answer with what ``save()`` returns, a redirect mostly.

    What ``save`` refuses (TukkuError) stands at its field, with the status of the refusal; a form with faults answers 422.
    """
    status = 200
    if form.is_submitted():
        status = 422
        if form.validate():
            try:
                return save()
            except TukkuError as error:
                refuse(form, error)
                status = error.status
    return render_template(template, form=form, **context), status


def _texts(fields: Iterable[Any]) -> Iterator[Any]:
    """Yield the fields that hold text, those of forms within the form too."""
    for field in fields:
        if hasattr(field, "entries") or hasattr(field, "form"):
            yield from _texts(getattr(field, "entries", None) or field.form)
        elif isinstance(field, StringField):
            yield field


@dataclass(frozen=True, slots=True)
class FormError:
    """One message of a form's summary: the id of the field it links to, its label, what is wrong."""

    id: str
    label: str
    message: str


def form_errors(*forms: Any) -> list[FormError]:
    """Return everything that is wrong in the forms, field by field, for the summary."""
    found: list[FormError] = []
    for form in (f for f in forms if f):
        if isinstance(form, Sections):
            found += form_errors(*(section.form for section in form))
            continue
        found += [FormError("", "", str(message)) for message in getattr(form, "form_errors", ())]
        found += [error for field in form for error in _field_errors(field)]
    return found


def _field_errors(field: Any) -> Iterator[FormError]:
    if hasattr(field, "entries") or hasattr(field, "form"):
        for inner in getattr(field, "entries", None) or field.form:
            yield from _field_errors(inner)
        return
    for message in field.errors:
        yield FormError(field.id, field.label.text, str(message))


@dataclass(frozen=True, slots=True)
class BoundSection:
    """A section of an addon, or a step of the checkout, on this page: its key, title and filled form."""

    key: str
    title: object
    form: Form
    spec: FormSection | CheckoutStep


class Sections:
    """The addons' sections of one form; iterate to draw them, ``validate`` and ``save`` them with the form."""

    def __init__(self, bound: Sequence[BoundSection]) -> None:
        self.bound = tuple(bound)

    def __iter__(self) -> Iterator[BoundSection]:
        return iter(self.bound)

    def __len__(self) -> int:
        return len(self.bound)

    def validate(self) -> bool:
        """Validate every section, all of them, so that all errors are shown together."""
        results = [section.form.validate() for section in self.bound]
        return all(results)

    def save(self, subject_id: int) -> None:
        """Write every section; call it inside ``write()`` after the core object is flushed.

        A section that raises rolls the whole change back: the form is saved entirely or not at all.
        """
        for section in self.bound:
            values = {name: value for name, value in section.form.data.items() if name != "csrf_token"}
            section.spec.save(subject_id, values)


def sections_of(form: str, subject_id: int | None = None) -> Sections:
    """Return the sections that addons add to `form` (a key of ``core.spec.ui.FORMS``) and the actor may edit.

    Fields are prefixed ``<addon>__``, so that no addon's field can meet another's. A section whose ``load``
    fails stops the form: half a form must not be saved.
    """
    actor = actor_or_none()
    bound = []
    for contribution in registry().contributions("ui_form_sections"):
        spec: FormSection = contribution.value
        if spec.form != form or (spec.permission and not (actor and actor.may(spec.permission))):
            continue
        bound.append(bind(contribution.owner, spec, subject_id))
    return Sections(bound)


def bind(owner: str, spec: FormSection | CheckoutStep, subject_id: int | None) -> BoundSection:
    """Return the sub-form filled from what was posted, else by its ``load``; core's own fields have no prefix."""
    from flask import request

    data = request.form if request.method == "POST" else None
    meta = {"csrf": False} if issubclass(spec.form_class, FlaskForm) else {}
    prefix = "" if registry().is_core(owner) else f"{owner}__"
    form = spec.form_class(formdata=data, data=dict(spec.load(subject_id)), prefix=prefix, meta=meta)
    return BoundSection(f"{owner}-{spec.key}", spec.title, form, spec)
