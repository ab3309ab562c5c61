"""Paths under the admin API that it does not know."""

from __future__ import annotations

from flask import Response

from receiver.web.admin.api import blueprint
from receiver.web.admin.problems import Problem


@blueprint.route("/<path:path>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
def unknown(path: str) -> Response:  # noqa: ARG001  # Flask names it
    """Refuse what is not of this API.

    No key is needed to get here, so nothing of what was asked is repeated: what would be hidden in
    it would tell who guesses that the guess is right.
    """
    raise Problem(404, "There is no such call: /admin/api/openapi.json lists those there are.")
