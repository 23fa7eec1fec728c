"""What a request brings is looked at when it is read."""

from __future__ import annotations

import io

import pytest
from werkzeug.test import EnvironBuilder

from core.spec.errors import Invalid
from core.ui.incoming import CheckedRequest, unchecked


def request(**given) -> CheckedRequest:
    return CheckedRequest(EnvironBuilder(path="/", **given).get_environ())


BAD = request(
    method="POST", data={"note": "a\x00", "name": "fine", "n": "9" * 12}, query_string={"page": "9" * 12, "q": "x"}
)


@pytest.mark.parametrize(
    "read",
    [
        lambda form: form["note"], lambda form: form.get("note"), lambda form: form.getlist("note"),
        lambda form: form.to_dict(),
        lambda form: list(form.items()), lambda form: list(form.items(multi=True)), lambda form: list(form.values()),
        lambda form: list(form.lists()), lambda form: list(form.listvalues()),
    ],
)  # fmt: skip
def test_whatever_way_a_bad_text_is_read_it_is_refused_with_its_name(read):
    with pytest.raises(Invalid, match=r"note: Character 2 \(U\+0000\) is invisible and cannot be kept\."):
        read(BAD.form)


def test_the_others_are_read_and_a_form_may_look_for_itself():
    assert BAD.form["name"] == "fine"
    assert BAD.args.getlist("q") == ["x"]
    assert unchecked(BAD.form)["note"] == "a\x00"


def test_a_number_that_no_column_holds_is_none():
    assert (BAD.args.get("page", 1, type=int), BAD.form.get("n", type=int)) == (1, None)
    assert request(query_string={"page": "7"}).args.get("page", 1, type=int) == 7


def test_the_name_of_a_file_loses_what_cannot_be_kept():
    sent = request(method="POST", data={"file": (io.BytesIO(b"x"), "invoice\u202efdp.exe")})
    assert sent.files["file"].filename == "invoicefdp.exe"
    assert sent.files["file"].read() == b"x"
