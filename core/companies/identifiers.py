"""Business ids and VAT ids, checked by the rules of their country, written in one way."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

from babel import Locale
from stdnum.eu import vat as eu_vat
from stdnum.exceptions import ValidationError

from core.i18n import _, current_locale
from core.spec.errors import Invalid


@dataclass(frozen=True, slots=True)
class Scheme:
    """A country's number: the checking module of python-stdnum, its name there, an example, whether it is formatted."""

    module: str
    name: str
    example: str
    formatted: bool = False


BUSINESS = {
    "FI": Scheme("stdnum.fi.ytunnus", "Y-tunnus", "0112038-9", formatted=True),
    "SE": Scheme("stdnum.se.orgnr", "organisationsnummer", "556703-7485", formatted=True),
    "EE": Scheme("stdnum.ee.registrikood", "registrikood", "10137319"),
    "PL": Scheme("stdnum.pl.nip", "NIP", "8567346215"),
    "TR": Scheme("stdnum.tr.vkn", "VKN", "4540536920"),
    "NO": Scheme("stdnum.no.orgnr", "organisasjonsnummer", "988077917"),
    "DK": Scheme("stdnum.dk.cvr", "CVR", "13585628"),
    "FR": Scheme("stdnum.fr.siren", "SIREN", "552008443"),
    "IT": Scheme("stdnum.it.iva", "partita IVA", "00743110157"),
    "ES": Scheme("stdnum.es.nif", "NIF", "54362315K"),
}
VAT = {
    "TR": Scheme("stdnum.tr.vkn", "VKN", "4540536920"),
    "NO": Scheme("stdnum.no.mva", "MVA", "NO995525828MVA"),
    "GB": Scheme("stdnum.gb.vat", "VAT", "GB980780684"),
    "CH": Scheme("stdnum.ch.vat", "MWST", "CHE107787577IVA"),
}
_VAT_EXAMPLES = {
    "FI": "FI01120389", "SE": "SE123456789701", "EE": "EE100931558", "PL": "PL8567346215", "DE": "DE136695976",
}  # fmt: skip
_LONGEST = 40


def business_id(country: str, value: str) -> str:
    """Return ``value`` as it is stored; Invalid, with an example, when it cannot be a business id of ``country``."""
    text = _plain(value, "business_id")
    scheme = BUSINESS.get(country)
    if not text or scheme is None:
        return text
    return _checked(scheme, text, country, "BUSINESS-ID", "business_id")


def vat_id(country: str, value: str) -> str:
    """Return ``value`` as it is stored, with its country's prefix; Invalid, with an example, when it cannot be one."""
    text = _plain(value, "vat_id")
    if not text:
        return ""
    if country.lower() in eu_vat.MEMBER_STATES:
        return _eu(country, text)
    scheme = VAT.get(country)
    return _checked(scheme, text, country, "VAT-ID", "vat_id") if scheme else text


def _eu(country: str, text: str) -> str:
    prefix = "EL" if country == "GR" else country
    try:
        bare = "".join(c for c in text.upper() if c.isalnum())
        return str(eu_vat.validate(bare if bare.startswith(prefix) else prefix + bare))
    except ValidationError as error:
        example = _VAT_EXAMPLES.get(country, f"{prefix}…")
        raise _refused("VAT-ID", "vat_id", text, _("VAT id"), country, example) from error


def _checked(scheme: Scheme, text: str, country: str, code: str, field: str) -> str:
    module = import_module(scheme.module)
    try:
        number = str(module.validate(text))
    except ValidationError as error:
        raise _refused(code, field, text, scheme.name, country, scheme.example) from error
    return str(module.format(number)) if scheme.formatted else number


def _refused(code: str, field: str, text: str, name: str, country: str, example: str) -> Invalid:
    return Invalid(
        code,
        _(
            "“%(value)s” is not a valid %(name)s of %(country)s: check it for a typing error. Example: %(example)s",
            value=text,
            name=name,
            country=country_name(country),
            example=example,
        ),
        details={"field": field},
    )


def _plain(value: str, field: str) -> str:
    text = " ".join(value.split())
    if len(text) > _LONGEST or not text.isprintable():
        raise Invalid(
            "IDENTIFIER-LONG",
            _("Use at most %(count)s printable characters.", count=_LONGEST),
            details={"field": field},
        )
    return text


def country_name(country: str) -> str:
    """Return the name of a country in the reader's language, else its code."""
    return str(Locale.parse(current_locale()).territories.get(country, country))
