"""Refusals on admin paths, as problem documents (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType

from flask import Response
from pydantic import ValidationError

from receiver.web.admin import parameters
from receiver.web.admin.documents import ProblemDocument

_PATHS = (parameters.NumberPath, parameters.PlanPath, parameters.AccountPath)
"""What names one thing: a name that no thing can have is that of nothing."""


class Problem(Exception):
    """A refusal: an HTTP status, and a sentence that says what to do."""

    def __init__(
        self, status: int, detail: str, *, headers: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers


def phrase(status: int) -> str:
    """Return what a status is called."""
    return HTTPStatus(status).phrase


def is_of_parameters(error: ValidationError) -> bool:
    """Tell whether it is the caller's parameters that are wrong, and not what is answered."""
    return error.title in parameters.MODELS


def of_parameters(error: ValidationError) -> Problem:
    """Return the refusal of parameters. A number in a path that no row can have is not found."""
    model = parameters.MODELS[error.title]
    if issubclass(model, _PATHS):
        return Problem(404, f"There is no such thing: {parameters.in_words(error, model)}.")
    return Problem(400, parameters.in_words(error, model))


def answer(problem: Problem) -> Response:
    """Word a problem as its document."""
    document = ProblemDocument(
        title=phrase(problem.status), status=problem.status, detail=problem.detail
    )
    response = Response(
        document.model_dump_json(),
        status=problem.status,
        content_type="application/problem+json",
        headers={"Cache-Control": "no-store", **problem.headers},
    )
    if problem.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="receiver"'
    return response
