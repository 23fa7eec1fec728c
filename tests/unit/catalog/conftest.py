"""An app context, for messages."""

from collections.abc import Iterator

import pytest
from flask import Flask

from core.i18n import texts


@pytest.fixture
def app_context(monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """A bare app without a database; messages are in English."""
    monkeypatch.setattr(texts, "actor_or_none", lambda: None)
    app = Flask("messages")
    with app.app_context():
        yield app
