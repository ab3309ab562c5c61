"""The overview: is anything missing or doubled, what is late, what failed, what comes next."""

from __future__ import annotations

from collections.abc import Collection

from flask import redirect, render_template, url_for
from werkzeug.wrappers import Response

from receiver.lifecycle.readiness import heartbeat_age, is_recent
from receiver.store import due
from receiver.web.admin import figures, reading
from receiver.web.admin.documents import ErrorsOfPeriod
from receiver.web.admin.parameters import SetsQuery, StatisticsQuery
from receiver.web.broker_state import broker_state
from receiver.web.context import parts
from receiver.web.dashboard import asked, charts, next_steps
from receiver.web.dashboard.blueprint import blueprint

_NEWEST = 8


@blueprint.get("")
def from_the_root() -> Response:
    """Lead ``/admin`` to its pages."""
    return redirect(url_for("dashboard.overview"))


@blueprint.get("/")
def overview() -> str:
    """Show how everything stands."""
    accounts = asked.read_accounts()
    statistics = StatisticsQuery(account=accounts.account)
    errors = figures.read_errors(statistics)
    now = parts().now()
    integrity, healths = figures.read_integrity(accounts), figures.read_accounts(accounts).data
    broker = broker_state()
    oldest_due, has_worker = _work(reading.account_ids(accounts))
    return render_template(
        "admin/overview.html",
        filters=asked.filters(),
        url_with_accounts=asked.url_with_accounts,
        integrity=integrity,
        summary=next_steps.summary(integrity),
        steps=next_steps.steps(
            integrity,
            healths,
            oldest_due=oldest_due,
            has_worker=has_worker,
            has_broker=broker is None or broker.answers,
        ),
        accounts=healths,
        chart=charts.outcomes(figures.read_outcomes(statistics).data),
        errors=_worst(errors.data),
        newest=reading.read_request_sets(SetsQuery(account=accounts.account, limit=_NEWEST)).data,
        progress=charts.progress,
        oldest_due=oldest_due,
        now=now,
    )


def _work(account_ids: Collection[int]) -> tuple[float | None, bool]:
    """For how many seconds a set has been due at the most, and whether a worker is alive."""
    now = parts().now()
    with parts().database.reading() as session:
        oldest = due.oldest_at(session, now=now, account_ids=account_ids)
        has_worker = is_recent(heartbeat_age(session, now=now))
    return None if oldest is None else max(0.0, (now - oldest).total_seconds()), has_worker


def _worst(errors: list[ErrorsOfPeriod]) -> list[ErrorsOfPeriod]:
    """Return what failed most often, hours summed up."""
    sums: dict[tuple[str, int | None], ErrorsOfPeriod] = {}
    for one in errors:
        key = (one.account_id, one.error_code)
        before = sums[key].requests if key in sums else 0
        sums[key] = one.model_copy(update={"requests": before + one.requests})
    return sorted(sums.values(), key=lambda one: one.requests, reverse=True)[:_NEWEST]
