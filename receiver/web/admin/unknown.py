"""Paths under the admin API that it does not know."""

from __future__ import annotations

from flask import Response, request

from receiver.web.admin.api import blueprint
from receiver.web.admin.problems import Problem


@blueprint.route("/<path:path>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
def unknown(path: str) -> Response:
    """Refuse what is not of this API."""
    raise Problem(404, f"There is no {request.method} /admin/api/{path}.")
