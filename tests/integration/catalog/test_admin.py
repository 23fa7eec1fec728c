"""The back-office's catalogue: products, units, files, categories, attributes, item codes."""

from io import BytesIO

import pytest
from sqlalchemy import select

from core.catalog import media, services
from core.catalog.models import Attribute, Category, ItemCode, Product
from core.catalog.units import units_of
from core.data.db import db
from core.data.models import AuditEntry
from core.settings.services import set_value
from core.testing.factories import make_company, make_product, make_staff, make_user
from tests.integration.catalog.conftest import attribute, categories

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
NEW = {
    "sku": "A-1", "base_unit": "pcs", "status": "active", "tax_class": "standard", "name_en": "Anchor", "name_fi": "Ankkuri",
    "weight_kg": "1.25", "category": "bolts", "unit-0-unit": "pcs", "unit-0-factor": "1", "unit-1-unit": "box",
    "unit-1-factor": "25", "unit-1-minimum": "2", "unit-1-step": "2", "unit-1-price_from_base": "1",
}  # fmt: skip


@pytest.fixture
def desk(app, login):
    set_value("core", "staff_second_factor", False)
    categories("fasteners", "fasteners/bolts", "nuts")
    attribute("thread")
    make_staff("sales@tukku.example", ["sales"])
    return login("sales@tukku.example")


def saved(sku="A-1"):
    db.session.rollback()
    return db.session.scalar(select(Product).where(Product.sku == sku))


def change(desk, **values):
    product = saved()
    return desk.post("/admin/catalog/products/A-1", data={**NEW, "version": str(product.version), **values})


def test_a_product_is_added_and_changed(desk):
    thread = db.session.scalar(select(Attribute.id))
    response = desk.post("/admin/catalog/new-product", data={**NEW, f"attribute_{thread}": "M8"})
    assert response.status_code == 303, response.text[:3000]
    product = saved()
    assert {t.locale: t.name for t in product.texts} == {"en": "Anchor", "fi": "Ankkuri"}
    assert [v.text for v in product.values] == ["M8"]
    assert {u.unit: (u.numerator, u.minimum) for u in units_of([product.id])[product.id].values()} == {
        "pcs": (1, 1),
        "box": (25, 2),
    }
    assert change(desk, name_fi="Kiila-ankkuri", **{"unit-1-unit": "", f"attribute_{thread}": ""}).status_code == 303
    product = saved()
    assert {t.locale: t.name for t in product.texts}["fi"] == "Kiila-ankkuri"
    assert product.values == []
    assert list(units_of([product.id])[product.id]) == ["pcs"]
    trail = select(AuditEntry.action).where(AuditEntry.entity == "product").order_by(AuditEntry.id)
    assert db.session.scalars(trail).all() == [
        "created",
        "updated",
    ]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"gtin": "123"}, "no valid GTIN"),
        ({"name_en": "", "name_fi": ""}, "A new product needs a name"),
        ({"superseded_by": "NOPE"}, "could replace this one"),
        ({"unit-1-factor": "0"}, "The factor must be more than zero"),
        ({"unit-1-factor": "abc"}, "Unit box: “abc” is not a number"),
        ({"unit-1-factor": "1/0"}, "cannot be divided by zero"),
        ({"unit-1-unit": "pcs", "unit-1-factor": "1"}, "A unit stands twice"),
        ({"weight_kg": "NaN"}, "not a number"),
        ({"sku": "TAKEN"}, "is taken"),
        ({"sku": "<b>"}, "A code has letters"),
    ],
)
@pytest.mark.database("sqlite")
def test_what_cannot_be_saved_says_why_and_changes_nothing(desk, values, message):
    make_product("TAKEN")
    response = desk.post("/admin/catalog/new-product", data={**NEW, **values})
    assert response.status_code == 422
    assert message in response.text
    assert saved() is None


def test_two_people_do_not_overwrite_each_other(desk):
    desk.post("/admin/catalog/new-product", data=NEW)
    version = saved().version
    assert change(desk, name_en="First").status_code == 303
    response = desk.post("/admin/catalog/products/A-1", data={**NEW, "version": str(version), "name_en": "Second"})
    assert response.status_code == 409
    assert "Somebody else changed" in response.text
    assert {t.locale: t.name for t in saved().texts}["en"] == "First"


def test_lists_and_bulk_actions(desk):
    make_product("B-1", name="Bolt")
    assert "B-1" in desk.get("/admin/catalog/products/?q=bolt").text
    assert desk.post("/admin/catalog/products/discontinue", data={"code": ["B-1"]}).status_code == 303
    assert saved("B-1").status == "discontinued"
    assert "B-1" not in desk.get("/admin/catalog/products/?status=active").text


def test_files_are_added_put_first_and_taken_away(desk):
    product_id = make_product("B-1").id
    for name, content in (("a.png", PNG), ("b.png", PNG + b"1"), ("evil.png", b"MZ....")):
        desk.post("/admin/catalog/media/B-1", data={"file": (BytesIO(content), name)}, content_type="multipart/form-data")
    first, second = media.of(product_id)
    assert (first.name, second.name) == ("a.png", "b.png")
    desk.post("/admin/catalog/media-remove/B-1", data={"key": second.key, "first": "1"})
    db.session.rollback()
    assert [m.name for m in media.of(product_id)] == ["b.png", "a.png"]
    desk.post("/admin/catalog/media-remove/B-1", data={"key": second.key})
    db.session.rollback()
    assert [m.name for m in media.of(product_id)] == ["a.png"]


def test_moving_a_category_moves_what_lies_beneath(desk):
    make_product("B-1", category="bolts")
    form = {"code": "fasteners", "name_en": "Fasteners", "position": "0", "parent": "nuts"}
    assert desk.post("/admin/catalog/categories/fasteners", data=form).status_code == 303
    assert sorted(db.session.scalars(select(Category.path))) == ["/nuts/", "/nuts/fasteners/", "/nuts/fasteners/bolts/"]
    assert (
        "within itself" in desk.post("/admin/catalog/categories/nuts", data={**form, "code": "nuts", "parent": "bolts"}).text
    )
    held = desk.post("/admin/catalog/delete-category/bolts", data={"confirm_name": "bolts"}, follow_redirects=True)
    assert "still holds 1 products" in held.text
    slash = desk.post("/admin/catalog/new-category", data={"code": "a/b", "name_en": "Slash", "position": "1", "parent": ""})
    assert slash.status_code == 422
    assert "A slash parts categories in addresses" in slash.text
    desk.post("/admin/catalog/new-category", data={"code": "empty", "name_fi": "Tyhjä", "position": "1", "parent": ""})
    assert desk.post("/admin/catalog/delete-category/empty", data={"confirm_name": "empty"}).status_code == 303
    assert db.session.scalar(select(Category.id).where(Category.code == "empty")) is None


def test_the_type_of_an_attribute_in_use_stays(desk):
    desk.post("/admin/catalog/new-product", data={**NEW, f"attribute_{db.session.scalar(select(Attribute.id))}": "M8"})
    form = {"code": "thread", "name_en": "Thread", "type": "number", "position": "0"}
    assert "The type stays: 1 products" in desk.post("/admin/catalog/attributes/thread", data=form).text
    assert desk.post("/admin/catalog/delete-attribute/thread", data={"confirm_name": "thread"}).status_code == 303
    db.session.rollback()
    assert saved().values == []
    desk.post(
        "/admin/catalog/new-attribute",
        data={"code": "length", "name_en": "Length", "type": "number", "unit": "mm", "position": "1"},
    )
    assert db.session.scalar(select(Attribute.unit)) == "mm"


def test_item_codes(desk):
    make_product("B-1")
    make_company("ACME")
    form = {"company": "ACME", "code": "MY 1", "sku": "B-1"}
    desk.post("/admin/catalog/item-codes/", data=form)
    page = desk.get("/admin/catalog/item-codes/").text
    assert "MY 1" in page
    assert "already" in desk.post("/admin/catalog/item-codes/", data=form, follow_redirects=True).text
    assert services.find_codes(["my1"])["my1"][0].sku == "B-1"
    desk.post("/admin/catalog/remove-item-codes", data={"code": ["ACME MY 1"]})
    db.session.rollback()
    assert db.session.scalar(select(ItemCode.id)) is None


@pytest.mark.parametrize("url", ["/admin/catalog/products/", "/admin/catalog/categories/", "/admin/catalog/new-product"])
@pytest.mark.database("sqlite")
def test_buyers_stay_out(app, login, url):
    make_user("anna@acme.example", company=make_company("ACME"))
    assert login("anna@acme.example").get(url).status_code == 403


def test_attributes_that_no_product_of_the_category_has_are_folded_away(desk):
    for code in ("length", "voltage"):
        attribute(code)
    ids = {code: number for number, code in db.session.execute(select(Attribute.id, Attribute.code))}
    first, second = {**NEW, f"attribute_{ids['thread']}": "M8"}, {**NEW, "sku": "A-2", f"attribute_{ids['length']}": "20"}
    for sent in (first, second):
        assert desk.post("/admin/catalog/new-product", data=sent).status_code == 303
    panel, folded = desk.get("/admin/catalog/products/A-1").text.split('id="values"')[1].split("<details>")
    for code, there in (("thread", panel), ("length", panel), ("voltage", folded)):
        assert [f'name="attribute_{ids[code]}"' in part for part in (panel, folded)] == [there is panel, there is folded]
    assert "1 attribute that no product of this category has" in folded
    assert "no product of this category" not in desk.get("/admin/catalog/new-product").text
