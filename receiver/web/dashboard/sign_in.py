"""Sign in with a key, and out."""

from __future__ import annotations

import structlog
from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from receiver.web.context import parts, sign_in_attempts
from receiver.web.dashboard import sessions
from receiver.web.dashboard.blueprint import blueprint

log = structlog.get_logger(__name__)


@blueprint.get("/sign-in")
def sign_in() -> Response | str:
    """Show the form; who is signed in goes on at once."""
    if sessions.current() is not None:
        return redirect(_next())
    return _form()


@blueprint.post("/sign-in")
def sign_in_with_key() -> Response | tuple[str, int]:
    """Begin a session with the key that was typed."""
    address, now = request.remote_addr or "", parts().now()
    if sign_in_attempts().are_too_many(address, now=now):
        return _form("Too many attempts from your address: wait a minute."), 429
    if sessions.begin(request.form.get("key", "").strip()) is None:
        sign_in_attempts().note_failure(address, now=now)
        log.warning("Somebody tried to sign in with what is no key", address=address)
        return _form("This is no key of the receiver, or it has ended."), 401
    return redirect(_next())


@blueprint.post("/sign-out")
def sign_out() -> Response:
    """End the session, here and in SQL."""
    sessions.end()
    return redirect(url_for("dashboard.sign_in"))


def _form(problem: str | None = None) -> str:
    return render_template("admin/sign_in.html", problem=problem, next=_next())


def _next() -> str:
    """Return where to go on: a page of the dashboard, whatever the link says."""
    wanted = request.values.get("next", "")
    return wanted if _is_ours(wanted) else url_for("dashboard.overview")


def _is_ours(target: str) -> bool:
    """Tell whether a browser takes a target for a page of the dashboard.

    It leaves line breaks and tabs out. In the query, which may hold what was looked for, slashes
    lead nowhere.
    """
    path = target.partition("?")[0]
    leads_elsewhere = "\\" in path or "//" in path
    return path.startswith("/admin/") and target.isprintable() and not leads_elsewhere
