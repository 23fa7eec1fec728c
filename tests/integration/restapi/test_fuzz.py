"""Whatever the document allows, and much that it does not, is answered: never a fault, never an undocumented form."""

from collections import Counter

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.generation import GenerationMode
from sqlalchemy import func, select

from core.companies.models import Company
from core.data.db import db
from core.data.scope import acting, system
from core.orders.models import Order


@pytest.mark.database("sqlite")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("examples", [2, pytest.param(8, marks=pytest.mark.trust)])
def test_generated_requests_meet_no_fault(app, key_of, world, examples):
    """Some requests of each kind for each operation, the same in every run; the other company is untouched."""
    ours, merchant = key_of(world[1]), key_of()
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    faults, met = [], Counter()
    for result in schema.get_all_operations():
        operation = result.ok()
        for caller in (ours, merchant):
            for mode in GenerationMode:
                label = f"{mode.value} {operation.label}"
                _try(operation.as_strategy(generation_mode=mode), label, caller, faults, met, examples)
    assert faults == [], "\n".join(faults[:20])
    assert met[200], met
    assert met[422], met
    theirs = select(func.count(Order.id)).join(Company, Company.id == Order.company_id).where(Company.code == "theirs-code")
    with acting(system("tests")):  # the last call may have left another actor behind
        assert db.session.scalar(theirs) >= 1


def _try(cases, label, caller, faults, met, examples):
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def attempt(case):
        response = case.call(headers={"Authorization": f"Bearer {caller.secret}"})
        met[response.status_code] += 1
        if response.status_code >= 500 or b"CHANGED-MEANWHILE" in response.content:  # nobody else is here
            faults.append(f"{label} {case.path_parameters!r} {case.query!r} {case.body!r}: {response.status_code}")
        elif response.status_code >= 400 and "application/problem+json" not in response.headers["content-type"][0]:
            faults.append(f"{label}: {response.headers['content-type']}")

    attempt()
