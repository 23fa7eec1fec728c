"""`tukku price`: why a company pays what it pays."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import click

from core.companies import services as companies
from core.data import clock
from core.i18n.numbers import read_plain
from core.pricing.explain import Explanation, explain
from core.spec.errors import Invalid
from core.ui.formats import plain


class Number(click.ParamType):  # type: ignore[type-arg]
    """An exact decimal, with a point."""

    name = "number"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        """Return the Decimal; fails with a sentence otherwise."""
        try:
            return read_plain(str(value))
        except Invalid as refused:
            self.fail(str(refused.message), param, ctx)


@click.group("price")
def price() -> None:
    """Prices. Example: tukku price explain --company KONEPAJA --product 6205-2RS --quantity 10"""


@price.command("explain")
@click.option("--company", default="", metavar="CODE", help="For whom; without it, for a visitor.")
@click.option("--product", required=True, metavar="SKU", help="The article.")
@click.option("--quantity", type=Number(), default=Decimal(1), show_default=True, help="How many of the unit.")
@click.option("--unit", default="", help="The unit; the article's base unit by default.")
@click.option("--currency", default=None, metavar="EUR", help="The company's own by default.")
@click.option(
    "--at", "at", default="", metavar="TIME", help="A day or an instant (ISO 8601), past or future; now by default."
)
@click.option("--wished", type=click.DateTime(["%Y-%m-%d"]), help="The day of delivery that the order asks for.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def explain_command(
    company: str,
    product: str,
    quantity: Decimal,
    unit: str,
    currency: str | None,
    at: str,
    wished: datetime | None,
    as_json: bool,
) -> None:
    """Say what a price is made of: candidates, why each lost, every step.

    Example: tukku price explain --company KONEPAJA --product 6205-2RS --quantity 10 --json
    """
    found = explain(
        company, product, quantity, unit=unit, at=instant(at), currency=currency, wished=wished and wished.date()
    )
    if as_json:
        click.echo(json.dumps(found.as_dict(), ensure_ascii=False, indent=2))
    else:
        _print(found)


def instant(text: str) -> datetime | None:
    """Return the instant written as ISO 8601; a day begins in the seller's zone, an instant without a zone is UTC."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(f"{text} is not a day or an instant; write 2026-12-31 or 2026-12-31T08:00Z") from error
    if len(text) == len("2026-12-31"):
        return clock.start_of_day(moment.date(), companies.seller().zone)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _print(found: Explanation) -> None:
    line, currency = found.line, found.context.currency
    who = found.company or "a visitor"
    if line.price is None:
        click.echo(f"{line.sku} for {who}: no price. {line.reason}")
    else:
        click.echo(f"{line.sku} for {who}: {plain(line.price)} {currency} for {plain(line.per)} {line.unit}. {line.reason}")
    for candidate in line.candidates:
        what = (
            "no price"
            if candidate.price is None
            else f"{plain(candidate.price)} for {plain(candidate.per)} {candidate.unit}"
        )
        click.echo(f"  {'-' if candidate.lost else '*'} {candidate.label}: {what} {candidate.lost}".rstrip())
    for entry in line.trace:
        before, after = ("none" if v is None else plain(v) for v in (entry.before, entry.after))
        click.echo(f"  {found.title_of(entry.step)}: {before} -> {after} {entry.reason}")
