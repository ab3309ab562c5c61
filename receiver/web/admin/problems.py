"""Refusals on admin paths, as problem documents (RFC 9457)."""

from __future__ import annotations

import json
from http import HTTPStatus

from flask import Response


class Problem(Exception):
    """A refusal: an HTTP status, and a sentence that says what to do."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def answer(problem: Problem) -> Response:
    """Word a problem as its document."""
    document = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
    }
    response = Response(
        json.dumps(document),
        status=problem.status,
        content_type="application/problem+json",
        headers={"Cache-Control": "no-store"},
    )
    if problem.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="receiver"'
    return response
