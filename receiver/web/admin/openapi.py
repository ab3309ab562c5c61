"""The description of the admin API (OpenAPI 3.1), and a page to browse it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import flask_openapi_swagger
from flask import Blueprint, Response, current_app, jsonify, render_template, send_from_directory
from flask_openapi.models.info import Info
from flask_openapi.models.security_scheme import SecurityScheme
from flask_openapi.openapi import OpenAPI

from receiver import __version__
from receiver.web.admin import problems
from receiver.web.admin.api import SECURITY_SCHEME, refuse_parameters
from receiver.web.admin.documents import ProblemDocument
from receiver.web.admin.problems import Problem

VERSION = "3.1.1"
_ASSETS = Path(flask_openapi_swagger.__file__).parent / "templates" / "swagger"
_SHOWN_ASSETS = ("css/swagger-ui.css", "js/swagger-ui-bundle.js")
_DESCRIPTION = (
    "What the receiver knows of the request sets of a key's ad accounts. Lists are pages by key: "
    "follow next_cursor. Only actions ask anything of Facebook."
)

docs = Blueprint("admin_docs", __name__, url_prefix="/admin/api")
"""Without a key: it says what the API is, and nothing of anybody."""


def make_app(name: str, **options: Any) -> OpenAPI:
    """Make a Flask application whose admin API describes itself."""
    app = OpenAPI(
        name,
        info=Info(title="Receiver admin API", version=__version__, description=_DESCRIPTION),
        security_schemes={SECURITY_SCHEME: SecurityScheme(type="http", scheme="bearer")},
        validation_error_status=400,
        validation_error_model=ProblemDocument,
        validation_error_callback=refuse_parameters,
        doc_ui=False,
        **options,
    )
    app.openapi_version = VERSION
    return app


@docs.get("/openapi.json")
def document() -> Response:
    """Return the description of this API."""
    return jsonify(cast("OpenAPI", current_app).api_doc)


@docs.get("/docs")
def browse() -> str:
    """Show the description of this API, to browse and to try."""
    return render_template("admin/api_docs.html")


@docs.get("/docs/<path:name>")
def asset(name: str) -> Response:
    """Return a part of the page that shows the description."""
    if name not in _SHOWN_ASSETS:
        return problems.answer(Problem(404, f"There is no /admin/api/docs/{name}."))
    return send_from_directory(_ASSETS, name, max_age=86_400)
