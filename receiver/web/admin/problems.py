"""Refusals on admin paths, as problem documents (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus

from flask import Response
from pydantic import ValidationError

from receiver.web.admin import parameters
from receiver.web.admin.documents import ProblemDocument


class Problem(Exception):
    """A refusal: an HTTP status, and a sentence that says what to do."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def phrase(status: int) -> str:
    """Return what a status is called."""
    return HTTPStatus(status).phrase


def of_parameters(error: ValidationError) -> Problem:
    """Return the refusal of parameters. A number in a path that no row can have is not found."""
    model = parameters.MODELS.get(error.title)
    known = list(model.model_fields) if model else []
    if known == ["number"]:
        return Problem(404, "There is nothing with this number.")
    return Problem(400, parameters.in_words(error, known))


def answer(problem: Problem) -> Response:
    """Word a problem as its document."""
    document = ProblemDocument(
        title=phrase(problem.status), status=problem.status, detail=problem.detail
    )
    response = Response(
        document.model_dump_json(),
        status=problem.status,
        content_type="application/problem+json",
        headers={"Cache-Control": "no-store"},
    )
    if problem.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="receiver"'
    return response
