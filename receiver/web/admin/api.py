"""The admin API's blueprint: who may call it, and how it refuses."""

from __future__ import annotations

from typing import get_type_hints

import structlog
from flask import Response, current_app, request
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.types import ResponseDict
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import HTTPException

from receiver.store.database import DatabaseAway
from receiver.web.admin import problems
from receiver.web.admin.bodies import take_body
from receiver.web.admin.documents import ProblemDocument
from receiver.web.admin.holder import set_holder
from receiver.web.admin.parameters import refuse_repeats
from receiver.web.admin.problems import Problem
from receiver.web.context import parts
from receiver.web.keys import authorization_key, holder_of

log = structlog.get_logger(__name__)

SECURITY_SCHEME = "key"

_PROBLEM = {
    "content": {
        "application/problem+json": {
            "schema": {"$ref": f"#/components/schemas/{ProblemDocument.__name__}"}
        }
    }
}


def refusals(*statuses: int) -> ResponseDict:
    """Return the problem documents that an operation may answer with, for its description."""
    return {
        str(status): {"description": problems.phrase(status), **_PROBLEM} for status in statuses
    }


blueprint = APIBlueprint(
    "admin",
    __name__,
    url_prefix="/admin/api",
    abp_security=[{SECURITY_SCHEME: []}],
    abp_responses=refusals(400, 401, 503),
    operation_id_callback=lambda name, **_: name,
)


@blueprint.before_request
def _check_key() -> None:
    if request.endpoint == "admin.unknown":
        return
    key = authorization_key()
    if key is None:
        raise Problem(
            401, "Send a key: Authorization: Bearer <key>. 'receiver key create' makes one."
        )
    found = holder_of(key)
    if found is None:
        raise Problem(401, "This is no key of the receiver.")
    if request.method not in ("GET", "HEAD", "OPTIONS") and found.is_read_only:
        raise Problem(403, "This key may only read.")
    set_holder(found)
    take_body(deadline_seconds=parts().settings.request_body_deadline_seconds)
    _refuse_repeats()


def _refuse_repeats() -> None:
    """Of a parameter that is given twice, nobody can tell which one is meant."""
    query = get_type_hints(current_app.view_functions[request.endpoint or ""]).get("query")
    if query is None:
        return
    try:
        refuse_repeats(query, dict(request.args.lists()))
    except ValueError as error:
        raise Problem(400, str(error)) from error


def answer(document: BaseModel, *, status: int = 200) -> Response:
    """Answer with a document."""
    return Response(
        document.model_dump_json(),
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


def refuse_parameters(error: ValidationError) -> Response:
    """Answer parameters that a call does not know or cannot use: which, and why."""
    return problems.answer(problems.of_parameters(error))


@blueprint.errorhandler(Problem)
def _on_problem(problem: Problem) -> Response:
    return problems.answer(problem)


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
