"""Formulas as people type and read them, in the grid, by paste, in comparisons and explanations."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addons.pricing_contract import editing, formula_text, grid
from addons.pricing_contract.comparing import differences
from addons.pricing_contract.formulas import Terms, read_terms
from addons.pricing_contract.models import ContractPrice
from core.data.db import db
from core.i18n import speaking
from core.spec.errors import Invalid
from core.testing import factories

from .conftest import contract, priced, row

amounts = st.decimals("0.01", "999", places=2)
percents = st.decimals("-200", "100", places=2).filter(bool)
MANY = {"base": "msrp", "percent": ["10"], "round_to": "0.05", "round_mode": "up", "surcharge": "0.1"}


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("cost +20%", {"base": "cost", "percent": ["-20"]}),
        ("-12,5 % -3%", {"base": "list", "percent": ["12.5", "3"]}),
        ("list sum -5% -5%", {"base": "list", "percent": ["5", "5"], "additive": True}),
        ("MSRP \u2212 10 % round 0,05 up + 0,1", MANY),
        ("contract:K-1 min 0,5 max 3", {"base": "contract:K-1", "min_margin": "0.5", "max_margin": "3"}),
        ("cost", {"base": "cost"}),
    ],
)
def test_a_typed_formula_is_read(shop, text, stored):
    with speaking("fi"):
        assert formula_text.read(text) == stored
        assert formula_text.read(formula_text.written(read_terms(stored))) == stored


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("cost 20%", "“20%” is not understood. Write for example: cost +20% round 0.05 up +0.1."),
        ("twice the cost", "“twice” is not understood"),
        ("round", "“round” is not understood"),
        ("round 0", "“0” is not understood"),
        ("list cost", "“cost” is another"),
        ("cost +1 +2", "“2” is another"),
        ("cost min", "“min” is not understood"),
        ("12", "“12” is not understood"),
        ("-101%", "More than 100 percent off"),
        ("+1e9%", "“+1e9” is not understood"),
        ("+1000000000", "is not understood"),
    ],
)
def test_what_is_no_formula_is_refused_with_the_word_and_an_example(shop, text, says):
    with pytest.raises(Invalid) as refused:
        formula_text.read(text)
    assert says in str(refused.value.message)


@given(
    base=st.sampled_from(["list", "cost", "msrp", "contract:A-1"]), steps=st.lists(percents, max_size=3),
    additive=st.booleans(), step=st.none() | amounts, mode=st.sampled_from(["half_up", "up", "down"]),
    surcharge=st.none() | amounts.map(lambda x: -x), least=st.none() | amounts, most=st.none() | amounts,
)  # fmt: skip
def test_every_formula_reads_back_as_it_was_written(base, steps, additive, step, mode, surcharge, least, most):
    terms = Terms(base, tuple(steps), additive, step, mode if step else "half_up", surcharge, least, most)
    assert read_terms(formula_text.read(formula_text.written(terms))) == terms


def test_the_grid_takes_formulas_and_tells_them_everywhere(office):
    company = factories.make_company("ACME")
    product = factories.make_product("BOLT", price="10")
    k, other = contract("K", company=company), contract("BASE", segment=factories.make_segment("none"))
    row(other, product, "8")
    typed = grid.pasted_rows("BOLT\tpcs\t\tlist -10% round 0.25 up\nBOLT\tpcs\t10\tcontract:BASE -50%\n*\t\t\tcontract:NONE")
    assert [one.kind for one in typed] == ["formula"] * 3
    outcome = editing.save_grid(k, typed, means="paste")
    assert [result for _row, result in outcome.rows] == ["created", "created", "error"]
    assert "NONE" in typed[2].errors["value"]
    shown = grid.page_of(k).rows
    assert [one.value for one in shown] == ["list -10% round 0.25 up", "contract:BASE -50%"]
    assert [priced(product, company, quantity).price for quantity in ("1", "10")] == [D(9), D(4)]
    told = [one.rule for one in priced(product, company, "10", explain=True).candidates if one.source == "contract:K"]
    words = {str(one).replace("\u00a0", " ") for one in told}
    assert words == {"list price \u2212 10 %, rounded up to a multiple of 0.25", "price of BASE \u2212 50 %"}
    beside = {one.left.replace("\u00a0", " ") for one in differences(k, other).rows}
    assert "Formula: price of BASE \u2212 50 %" in beside
    for one in shown:
        one.was = one.texts
    shown[0].value = "cost +5%"
    assert editing.save_grid(k, shown).written == 1
    stored = {price.min_quantity: price.terms for price in db.session.query(ContractPrice).filter_by(contract_id=k.id)}
    assert stored == {D(0): {"base": "cost", "percent": ["-5"]}, D(10): {"base": "contract:BASE", "percent": ["50"]}}
    own = [grid.GridRow(target="BOLT", unit="pcs", min_quantity="5", kind="formula", value="contract:K")]
    assert editing.save_grid(k, own).written == 0
    assert "from itself" in own[0].errors["value"]
