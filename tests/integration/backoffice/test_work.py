"""What runs behind the pages, in words that administrators know: background work, and the trail."""

from __future__ import annotations

import pytest

from core.data import audit, clock
from core.data.db import db
from core.data.scope import acting, system
from core.data.write import write
from core.jobs.models import Job
from core.jobs.work import all_work, titles, words_of
from core.testing import factories
from core.testing.apps import bundled_addons
from core.testing.signin import sign_in


@pytest.fixture
def shop(app_with):
    """A shop with all bundled addons, and an administrator."""
    app = app_with(addons=bundled_addons())
    factories.make_staff("root@tukku.example", roles=("admin",))
    return app


@pytest.fixture
def admin(shop):
    return sign_in(shop, "root@tukku.example")


def test_all_bundled_work_has_a_title(shop):
    assert [work.name for work in all_work() if not work.title] == []
    assert titles()["order.confirmed/orders.confirmation_mail"] == "Send the confirmation of an order"


@pytest.mark.parametrize(
    ("name", "words"),
    [("slots.send_report", "slots: send report"), ("order.confirmed/slots.tell_driver", "slots: tell driver"), ("x", "x")],
)
def test_work_of_an_addon_that_is_off_is_read_as_words(name, words):
    assert words_of(name) == words


def test_jobs_are_listed_and_shown_by_their_titles(admin):
    now = clock.now()
    with write() as session:
        job = {"payload": {}, "created_at": now, "run_at": now, "state": "held"}
        session.add(Job(**job, name="pricing_contract.rises", addon="pricing_contract"))
        session.add(Job(**job, name="slots.send_report", addon="slots"))
    page = admin.get("/admin/jobs?col=name&col=addon").text
    assert "Tell buyers which prices rise soon" in page
    assert "slots: send report" in page
    assert "Contract prices" in page
    assert "pricing_contract.rises" not in page
    job_id = db.session.query(Job.id).where(Job.addon == "pricing_contract").scalar()
    page = admin.get(f"/admin/jobs/{job_id}").text
    assert "<h1" in page
    assert "Tell buyers which prices rise soon" in page.partition("<h1")[2].partition("</h1>")[0]
    assert "pricing_contract.rises" in page, "as commands name it"


def test_the_trail_names_people(admin):
    person = factories.make_user("anna@acme.example", company=factories.make_company("acme"), name="Anna Aalto")
    with acting(system("tests")), write():
        audit.record("user", person.code, "disabled")
        audit.record("member", person.code, "roles_changed")
        audit.record("order", "SO-1", "confirmed")
    page = admin.get("/admin/audit").text
    assert page.count("Anna Aalto") >= 2
    assert person.code not in page
    assert "SO-1" in page
    assert "Anna Aalto" in admin.get("/admin/audit?q=aalto").text
    assert "SO-1" not in admin.get("/admin/audit?q=aalto").text


def test_the_trail_says_what_addons_wrote_in_their_words_and_in_the_readers_language(shop):
    with write():
        after = {"tier": 2, "digest": "abc", "for": "Bo", "made_up": True}
        audit.record("order", "SO-1", "approval approved", after=after, addon="approval_chain")
        audit.record("promotion", "P-1", "changed", after={"min_value": "50"}, addon="promotions")
    for locale, said in (
        ("en", ("Approved", "turn: 2", "in place of: Bo", "made up: Yes", "least value: 50")),
        ("fi", ("Hyväksytty", "vuoro: 2", "sijaisena henkilölle: Bo", "made up: Kyllä", "vähimmäisarvo: 50")),
    ):
        person = factories.make_staff(f"{locale}@tukku.example", locale=locale)
        page = sign_in(shop, person.email).get("/admin/audit").text
        for words in said:
            assert words.lower() in page.lower(), (locale, words)
        assert "approval approved" not in page
