"""The same POST twice has one effect: the answer to an Idempotency-Key is kept and given again.

Refusals and faults are not kept, so that a retry may succeed. A request that died is taken up again after a while;
orders carry the key themselves, so that even then there is one.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

from flask import Response, g, request
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from core.data import clock
from core.data.db import db
from core.data.write import write
from core.i18n import _
from core.restapi.models import ApiAnswer
from core.spec.errors import Conflict, Invalid

HEADER, REPLAYED = "Idempotency-Key", "Idempotency-Replayed"
#: After so long a request without an answer counts as dead.
LEASE = timedelta(minutes=2)
_KEPT_HEADERS = ("Location", "ETag")


def begin() -> Response | None:
    """Take the key of a POST, or return the answer that it got before; 409 while it is at work, 422 for another request."""
    reference = request.headers.get(HEADER, "").strip()
    if request.method != "POST" or not reference or "tukku_api_key" not in g:
        return None
    if len(reference) > 255 or not reference.isprintable():
        raise Invalid("IDEMPOTENCY-KEY", _("An Idempotency-Key has at most 255 printable characters."))
    answer = _take(reference)
    if answer is None:
        return None
    if answer.request_hash != _hash():
        message = _("This Idempotency-Key was used for another request. Use a new one for each thing you ask for.")
        raise Invalid("IDEMPOTENCY-REUSED", message)
    if answer.status is None:
        raise Conflict(
            "IN-FLIGHT", _("The first request with this key is still at work; ask again."), details={"retry_after": 1}
        )
    headers = {**answer.headers, REPLAYED: "true"}
    return Response(answer.body, answer.status, headers, mimetype="application/json")


def finish(response: Response) -> Response:
    """Keep what was answered to the key that `begin` took; forget the key where the request failed."""
    taken = g.pop("tukku_api_answer", None)
    if taken is None:
        return response
    db.session.rollback()
    with write():
        if response.status_code < 400:
            values = {
                "status": response.status_code,
                "body": response.get_data(as_text=True),
                "headers": {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers},
            }
            db.session.execute(update(ApiAnswer).where(ApiAnswer.id == taken).values(values))
        else:
            db.session.execute(delete(ApiAnswer).where(ApiAnswer.id == taken))
    return response


def order_reference() -> str:
    """Return what makes an order of this request the only one, '' for a request without a key."""
    reference = request.headers.get(HEADER, "").strip()
    return f"api-{hashlib.sha256(f'{g.tukku_api_key}:{reference}'.encode()).hexdigest()[:60]}" if reference else ""


def _take(reference: str) -> ApiAnswer | None:
    """Return the row of an earlier request with the reference; None if it is now this request's."""
    mine = (ApiAnswer.key_id == g.tukku_api_key, ApiAnswer.reference == reference)
    row = ApiAnswer(key_id=g.tukku_api_key, reference=reference, request_hash=_hash(), created_at=clock.now(), headers={})
    try:
        with write() as session:
            session.execute(
                delete(ApiAnswer).where(*mine, ApiAnswer.status.is_(None), ApiAnswer.created_at < clock.now() - LEASE)
            )
            session.add(row)
            session.flush()
            g.tukku_api_answer = row.id
    except IntegrityError:
        found = db.session.scalar(select(ApiAnswer).where(*mine))
        if found is None:  # the first one failed just now
            raise Conflict(
                "IN-FLIGHT", _("The first request with this key is still at work; ask again."), details={"retry_after": 1}
            ) from None
        return found
    return None


def _hash() -> str:
    head = f"{request.method} {request.full_path}\n".encode()
    return hashlib.sha256(head + request.get_data()).hexdigest()
