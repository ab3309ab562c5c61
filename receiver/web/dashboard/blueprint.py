"""The dashboard's blueprint: who may see its pages, and how they refuse."""

from __future__ import annotations

import structlog
from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_wtf.csrf import CSRFError, CSRFProtect
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from receiver.store.database import DatabaseAway
from receiver.web.admin import problems
from receiver.web.admin.bodies import take_body
from receiver.web.admin.holder import set_holder
from receiver.web.admin.problems import Problem
from receiver.web.context import parts, sign_in_readers
from receiver.web.dashboard import sessions

log = structlog.get_logger(__name__)

blueprint = Blueprint(
    "dashboard",
    __name__,
    url_prefix="/admin",
    template_folder="templates",
    static_folder="static",
    static_url_path="/static",
)
csrf = CSRFProtect()

_SIGN_IN = "dashboard.sign_in_with_key"
_WITHOUT_SESSION = ("dashboard.sign_in", _SIGN_IN, "dashboard.static")
_STRANGERS_DEADLINE_SECONDS = 2.0
"""A form that is signed in with is far smaller than a packet."""


@blueprint.before_request
def _check_session() -> AnyResponse | None:
    if request.endpoint == _SIGN_IN:
        _take_strangers_form()
    if request.endpoint in _WITHOUT_SESSION:
        return None
    found = sessions.current()
    if found is None:
        return redirect(url_for("dashboard.sign_in", next=_where_to_go_on()))
    set_holder(found)
    if request.method == "POST" and found.is_read_only and request.endpoint != "dashboard.sign_out":
        raise Problem(403, "Your key may only read: sign in with one that may act.")
    if request.method == "POST":
        take_body(deadline_seconds=parts().settings.request_body_deadline_seconds)
        csrf.protect()
    return None


def _take_strangers_form() -> None:
    """Read the form of somebody who may be anybody: few at a time, so that threads stay free."""
    readers = sign_in_readers()
    if not readers.acquire(blocking=False):
        raise Problem(503, "Too many are signing in just now: try again.")
    try:
        take_body(deadline_seconds=_STRANGERS_DEADLINE_SECONDS)
    finally:
        readers.release()
    csrf.protect()


def _where_to_go_on() -> str:
    """Return the page to show after signing in: of a form that was sent, the overview."""
    if request.method != "GET":
        return url_for("dashboard.overview")
    return request.full_path.rstrip("?")


def refuse(problem: Problem) -> tuple[str, int]:
    """Show what is wrong as a page."""
    title = problems.phrase(problem.status)
    page = render_template("admin/problem.html", title=title, problem=problem, now=parts().now())
    return page, problem.status


@blueprint.errorhandler(Problem)
def _on_problem(problem: Problem) -> tuple[str, int]:
    return refuse(problem)


@blueprint.errorhandler(ValidationError)
def _on_bad_parameters(error: ValidationError) -> tuple[str, int]:
    if not problems.is_of_parameters(error):
        return _on_unforeseen(error)
    return refuse(problems.of_parameters(error))


@blueprint.errorhandler(CSRFError)
def _on_foreign_form(error: CSRFError) -> tuple[str, int]:
    log.warning("A form was not the dashboard's own", reason=error.description)
    return refuse(Problem(400, "This form is out of date: go back, reload the page, try again."))


@blueprint.errorhandler(HTTPException)
def _on_http_error(error: HTTPException) -> tuple[str, int]:
    return refuse(Problem(error.code or 500, error.description or ""))


@blueprint.errorhandler(DatabaseAway)
def _on_database_away(error: DatabaseAway) -> tuple[str, int]:
    log.error("The database is away", reason=str(error))
    return refuse(Problem(503, "The receiver's database is away: reload in a moment."))


@blueprint.errorhandler(Exception)
def _on_unforeseen(error: Exception) -> tuple[str, int]:
    log.error("A page failed", exc_info=error)
    return refuse(Problem(500, "An unforeseen error: the log has the details."))


def add_headers(response: Response) -> Response:
    """Let a browser run and show only what is the dashboard's own."""
    if request.path == "/admin" or request.path.startswith("/admin/"):
        response.headers.setdefault("Content-Security-Policy", _POLICY)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("X-Frame-Options", "DENY")
        response.headers.setdefault("Referrer-Policy", "same-origin")
        if response.mimetype == "text/html":
            response.headers.setdefault("Cache-Control", "no-store")
    return response


_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    # Bootstrap's stylesheet draws its arrows and ticks from data.
    "img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
