"""The Graph-shaped routes: read an HTTP call, let it be answered, and make an HTTP answer of it."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from receiver.web.gateway import access, dispatch, failures
from receiver.web.gateway.answer import Answer, json_answer
from receiver.web.gateway.batches import routes as batch_routes
from receiver.web.gateway.incoming import close_body, read_call

blueprint = Blueprint("gateway", __name__)

_METHODS = ["GET", "POST", "PUT", "DELETE"]


@blueprint.route("/", defaults={"path": ""}, methods=_METHODS)
@blueprint.route("/<path:path>", methods=_METHODS)
def graph(path: str) -> Response:
    """Answer one Graph call."""
    call = read_call(path)
    if call.is_crash_report:
        # It may hold anything of the program's, and belongs to nobody here.
        return _respond(json_answer({"success": True}, call, source="store"))
    if call.is_batch:
        return _respond(batch_routes.answer(call, access.holder(call)))
    return _respond(dispatch.answer(call))


@blueprint.after_request
def _close_body(response: Response) -> Response:
    close_body()
    return response


def _respond(answer: Answer) -> Response:
    response = Response(
        answer.body if answer.stream is None else answer.stream,
        status=f"{answer.status} {_phrase(answer.status)}",
        content_type=answer.content_type,
    )
    response.headers["Access-Control-Allow-Origin"] = "*"
    for name, text in answer.headers:
        response.headers[name] = text
    return response


def _phrase(status: int) -> str:
    """The standard phrase, in the case in which servers write it; Flask's is all capitals."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


@blueprint.app_errorhandler(MethodNotAllowed)
@blueprint.errorhandler(HTTPException)
@blueprint.errorhandler(Exception)
def _on_error(error: Exception) -> Response:
    return _respond(failures.answer_to(error))
