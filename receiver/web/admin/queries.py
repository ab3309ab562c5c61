"""The query API: intents, notifications and looks, newest first, a page at a time."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException

from receiver.graph.serve import encode_cursor
from receiver.lifecycle import integrity as checks
from receiver.lifecycle.shapes import integrity_as_json
from receiver.store import reports
from receiver.store.database import DatabaseAway
from receiver.store.keys import Caller
from receiver.store.reports import Filter, Page
from receiver.store.types import MAX_ID
from receiver.web.admin import problems
from receiver.web.admin.filters import BadFilter, ListFilter, read_filter
from receiver.web.admin.problems import Problem
from receiver.web.admin.shapes import as_json, notification_as_json
from receiver.web.context import parts
from receiver.web.keys import authorization_key, holder_of

log = structlog.get_logger(__name__)

blueprint = Blueprint("admin", __name__, url_prefix="/admin/api")

_NUMBER = re.compile(r"[0-9]{1,19}")


@blueprint.get("/request-sets")
def request_sets() -> Response:
    """List the intents of the key's accounts."""
    return _list(reports.request_sets, shape=as_json)


@blueprint.get("/request-sets/<number>")
def request_set(number: str) -> Response:
    """Show one intent with its submissions."""
    found = _find(number, _holder())
    if found is None:
        raise Problem(404, f"There is no request set {number} in your accounts.")
    return _answer(as_json(found))


def _find(number: str, holder: Caller) -> dict[str, Any] | None:
    # No set has a larger number, and no database takes one.
    if not _NUMBER.fullmatch(number) or int(number) > MAX_ID:
        return None
    with parts().database.reading() as session:
        return reports.find_intent(session, holder.account_ids, request_set_id=int(number))


@blueprint.get("/notifications")
def notifications() -> Response:
    """List what came on the notification URLs of the key's accounts."""
    return _list(reports.notifications, shape=notification_as_json)


@blueprint.get("/looks")
def looks() -> Response:
    """List the readings at Facebook for the key's accounts."""
    return _list(reports.looks, shape=as_json)


@blueprint.get("/integrity")
def integrity() -> Response:
    """Count what is missing and what is doubled of the key's accounts, with the rows behind it."""
    holder = _holder()
    wanted = read_filter(request.args, only=("account",))
    account_ids = _filter(wanted, holder).account_ids
    found = checks.check(parts().database, account_ids, now=parts().now())
    return _answer(integrity_as_json(found))


@blueprint.route("/<path:path>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
def unknown(path: str) -> Response:
    """Refuse what is not of this API."""
    raise Problem(404, f"There is no {request.method} /admin/api/{path}.")


def _list(
    read: Callable[..., Page], *, shape: Callable[[Mapping[str, Any]], dict[str, Any]]
) -> Response:
    holder = _holder()
    wanted = read_filter(request.args)
    below = wanted.below()
    with parts().database.reading() as session:
        page = read(session, _filter(wanted, holder), below=below, limit=wanted.limit)
    cursor = None if page.next_below is None else encode_cursor(page.next_below)
    return _answer({"data": [shape(row) for row in page.rows], "next_cursor": cursor})


def _filter(wanted: ListFilter, holder: Caller) -> Filter:
    account_ids = holder.account_ids
    if wanted.account is not None:
        account_ids &= {wanted.account}
    return Filter(
        account_ids=account_ids,
        states=wanted.state,
        verdicts=wanted.verdict,
        request_set_id=wanted.request_set,
        since=wanted.since,
        until=wanted.until,
    )


def _holder() -> Caller:
    key = authorization_key()
    if key is None:
        raise Problem(
            401, "Send a key: Authorization: Bearer <key>. 'receiver key create' makes one."
        )
    holder = holder_of(key)
    if holder is None:
        raise Problem(401, "This is no key of the receiver.")
    return holder


def _answer(document: dict[str, Any]) -> Response:
    return Response(
        json.dumps(document),
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


@blueprint.errorhandler(Problem)
def _on_problem(problem: Problem) -> Response:
    return problems.answer(problem)


@blueprint.errorhandler(BadFilter)
def _on_bad_filter(error: BadFilter) -> Response:
    return problems.answer(Problem(400, str(error)))


@blueprint.errorhandler(HTTPException)
def _on_http_error(error: HTTPException) -> Response:
    return problems.answer(Problem(error.code or 500, error.description or ""))


@blueprint.errorhandler(Exception)
def _on_unforeseen(error: Exception) -> Response:
    log.error("A query failed", exc_info=error)
    return problems.answer(Problem(500, "An unforeseen error: the log has the details."))


@blueprint.errorhandler(DatabaseAway)
def _on_database_away(error: DatabaseAway) -> Response:
    log.error("The database is away", reason=str(error))
    return problems.answer(Problem(503, "The receiver's database is away: try again."))
