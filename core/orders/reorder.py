"""Order again: the lines of an order as proposals, each with what changed since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from core.i18n import _
from core.orders import articles, queries
from core.orders.articles import Article
from core.orders.models import OrderLine
from core.orders.proposals import Proposal, priced


def review(number: str) -> tuple[Proposal, ...]:
    """Return a proposal for every line of the order ``number`` (visible to the actor), in their order."""
    return review_lines(queries.lines_of(queries.find(number).id))


def review_lines(lines: Sequence[OrderLine]) -> tuple[Proposal, ...]:
    """Return a proposal for every line: what ordering it now would mean. What was free comes again where it still does."""
    lines = [line for line in lines if not line.free]
    with articles.remembered():
        known = articles.by_id(line.product_id for line in lines)
        heirs = articles.by_sku(a.successor for a in known.values() if a.availability == "discontinued" and a.successor)
        return priced([_proposal(line, known, heirs) for line in lines], compare=True)


def _proposal(line: OrderLine, known: Mapping[int, Article], heirs: Mapping[str, Article]) -> Proposal:
    before = None if line.unit_price is None else line.unit_price / line.per
    row = Proposal(
        line.position,
        f"{line.sku} {line.name}",
        "ok",
        quantity=line.quantity,
        reference=line.customer_reference,
        before=before,
    )
    article = known.get(line.product_id or 0)
    if article is None:
        return replace(row, outcome="gone", message=_("%(sku)s does not exist any more.", sku=line.sku))
    if (
        article.availability == "discontinued"
        and article.successor in heirs
        and heirs[article.successor].availability == "ok"
    ):
        row = replace(row, outcome="replaced", message=article.refusal)
        article = heirs[article.successor]
    if article.availability != "ok":
        outcome = "discontinued" if article.availability == "discontinued" else "not_allowed"
        return replace(row, outcome=outcome, message=article.refusal, article=article)
    unit = article.unit(line.unit)
    if unit is None:
        message = _(
            "%(sku)s is not sold in %(unit)s any more; it is sold in %(units)s.",
            sku=article.sku,
            unit=line.unit,
            units=", ".join(article.units),
        )
        return replace(row, outcome="bad_unit", message=message, article=article)
    return replace(row, article=article, unit=unit)
