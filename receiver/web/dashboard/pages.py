"""The pages that show lists, and one row of each."""

from __future__ import annotations

from typing import Any

from flask import Response, render_template, request

from receiver.lifecycle.actions.catalog import ACTIONS
from receiver.web.admin import documents, exports, figures, reading
from receiver.web.admin.holder import holder
from receiver.web.admin.parameters import (
    AuditQuery,
    DeliveriesQuery,
    LooksQuery,
    NotificationsQuery,
    PlanPath,
    RequestsExport,
    RequestsQuery,
    SetsExport,
    SetsQuery,
)
from receiver.web.admin.problems import Problem
from receiver.web.context import parts
from receiver.web.dashboard import acts, asked, charts
from receiver.web.dashboard.blueprint import blueprint

_REQUESTS_OF_SET = 25
_CHANGING = ("POST", "PUT", "PATCH", "DELETE")
"""The methods that change something: without a page here they would be taken for Graph calls."""


@blueprint.get("/request-sets")
def request_sets() -> str:
    """List request sets, with a bar of how far each is."""
    page = reading.read_request_sets(asked.read(SetsQuery))
    return _list(
        "request_sets",
        page,
        progress=charts.progress,
        actions=ACTIONS,
        has_only_complete=asked.has_only_complete(),
        plan_url=asked.url_with_filters("dashboard.make_plan"),
        public_url=parts().settings.public_url,
    )


@blueprint.get("/request-sets/<number>")
def request_set(number: str) -> str:
    """Show one set: where it stands, what happened, what failed, and what can be done."""
    told = reading.read_story(asked.number(number))
    row = documents.set_detail(told.row, now=parts().now())
    requests = reading.read_requests(
        RequestsQuery.model_validate({"request_set": row.id, "limit": _REQUESTS_OF_SET})
    )
    return render_template(
        "admin/request_set.html",
        row=row,
        story=told,
        requests=requests,
        progress=charts.progress(row),
        actions=[action for action in ACTIONS.values() if action.fits(told.row)],
        failures=_failures(row),
        **_rights(),
    )


def _failures(row: documents.RequestSetDetail) -> list[documents.ErrorCount]:
    """Return how many of a set's requests failed, by code: under None those without one."""
    without_code = (row.error_count or 0) - sum(error.requests for error in row.errors)
    if row.collected_at is None or without_code <= 0:
        return row.errors
    in_words = documents.error_in_words(None)
    found = {"error_code": None, "requests": without_code, **in_words}
    return [*row.errors, documents.ErrorCount.model_validate(found)]


@blueprint.get("/requests")
def requests() -> str:
    """List requests, with what failed and what to do about it."""
    return _list("requests", reading.read_requests(asked.read(RequestsQuery)))


@blueprint.get("/notifications")
def notifications() -> str:
    """List what came on the notification URLs."""
    return _list("notifications", reading.read_notifications(asked.read(NotificationsQuery)))


@blueprint.get("/notifications/<number>")
def notification(number: str) -> str:
    """Show one notification as it came: nothing of it is run, or leads anywhere."""
    row = reading.read_notification(asked.number(number))
    return render_template("admin/notification.html", row=row, **_rights())


@blueprint.get("/notifications/<number>/raw")
def notification_body(number: str) -> Response:
    """Return the body of a notification as it came, for a download."""
    wanted = asked.number(number)
    return reading.as_download(reading.read_notification_body(wanted), number=wanted)


@blueprint.get("/looks")
def looks() -> str:
    """List the readings at Facebook."""
    return _list("looks", reading.read_looks(asked.read(LooksQuery)))


@blueprint.get("/deliveries")
def deliveries() -> str:
    """List what callers were told."""
    return _list("deliveries", reading.read_deliveries(asked.read(DeliveriesQuery)))


@blueprint.get("/deliveries/<number>")
def delivery(number: str) -> str:
    """Show one delivery with its attempts."""
    row = reading.read_delivery(asked.number(number))
    return render_template("admin/delivery.html", row=row, **_rights())


@blueprint.get("/accounts")
def accounts() -> str:
    """Show each account: what it may spend, and what it waits for."""
    found = figures.read_accounts(asked.read_accounts()).data
    return render_template(
        "admin/accounts.html", accounts=found, filters=asked.filters(), **_rights()
    )


@blueprint.get("/audit")
def audit() -> str:
    """List what people did."""
    return _list("audit", reading.read_audit_entries(asked.read(AuditQuery)))


@blueprint.get("/plans/<plan>")
def plan(plan: str) -> str:
    """Show a plan: what it will touch, or how far it is."""
    wanted = PlanPath(plan=plan).plan
    shown = reading.read_plan(wanted)
    return render_template(
        "admin/plan.html",
        plan=shown,
        sets=shown.items,
        action=ACTIONS[shown.action],
        is_over=shown.expires_at <= parts().now(),
        rest=acts.rest_of_plan(),
        **_rights(),
    )


@blueprint.get("/exports/request-sets")
def export_sets() -> Response:
    """Download the sets that meet the filters of a list."""
    return exports.sets_file(asked.read(SetsExport))


@blueprint.get("/exports/requests")
def export_requests() -> Response:
    """Download the requests that meet the filters of a list."""
    return exports.requests_file(asked.read(RequestsExport))


@blueprint.route("/", methods=_CHANGING, defaults={"path": ""})
@blueprint.route("/<path:path>", methods=["GET", *_CHANGING])
def nothing_here(path: str) -> str:
    """Say in words that a page, or a button, is not there."""
    if request.method == "GET":
        raise Problem(404, f"There is no page /admin/{path}.")
    raise Problem(404, f"There is no {request.method} /admin/{path}.")


def _list(name: str, page: documents.Page, **more: Any) -> str:
    return render_template(
        f"admin/{name}.html",
        page=page,
        filters=asked.filters(),
        is_filtered=asked.is_filtered(),
        next_url=asked.url_of_next(page.next_cursor),
        export_urls=_export_urls(name),
        first_url=asked.url_of_first(),
        **_rights(),
        **more,
    )


def _export_urls(name: str) -> list[tuple[str, str]]:
    """Return where the list can be downloaded with the filters of this page, by format."""
    endpoint = {"request_sets": "export_sets", "requests": "export_requests"}.get(name)
    if endpoint is None:
        return []
    return [
        (kind.upper(), asked.url_with_filters(f"dashboard.{endpoint}", format=kind))
        for kind in ("csv", "ndjson")
    ]


def _rights() -> dict[str, Any]:
    return {"may_act": not holder().is_read_only, "now": parts().now()}
