"""The figures of the admin API: integrity, accounts, outcomes and errors by the hour.

What reads them raises Problem and DatabaseAway, and serves the dashboard too.
"""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_openapi.models.tag import Tag

from receiver.lifecycle import account_health
from receiver.lifecycle import integrity as checks
from receiver.lifecycle.shapes import integrity_as_json
from receiver.store import statistics
from receiver.store.statistics import Period
from receiver.web.admin import documents, series
from receiver.web.admin.api import answer, blueprint
from receiver.web.admin.parameters import AccountQuery, StatisticsQuery
from receiver.web.admin.problems import Problem
from receiver.web.admin.reading import account_ids
from receiver.web.admin.series import TooLong
from receiver.web.context import parts

_FIGURES: list[Tag | dict[str, Any]] = [Tag(name="Figures", description="How things stand.")]


@blueprint.get("/integrity", tags=_FIGURES, responses={200: documents.Integrity})
def show_integrity(query: AccountQuery) -> Response:
    """Count what is missing and what is doubled, with the rows behind each number."""
    return answer(read_integrity(query))


def read_integrity(query: AccountQuery) -> documents.Integrity:
    """Return what is missing, doubled, late and stuck, of the accounts asked for."""
    found = checks.check(parts().database, account_ids(query), now=parts().now())
    return documents.Integrity.model_validate(integrity_as_json(found))


@blueprint.get("/accounts", tags=_FIGURES, responses={200: documents.Accounts})
def list_accounts(query: AccountQuery) -> Response:
    """Show each account: what it may spend, what it waits for, how many notifications it loses."""
    return answer(read_accounts(query))


def read_accounts(query: AccountQuery) -> documents.Accounts:
    """Return how each of the accounts asked for is."""
    healths = account_health.of_accounts(parts().tools, account_ids(query))
    return documents.Accounts.model_validate({"data": [vars(one) for one in healths]})


@blueprint.get("/outcomes", tags=_FIGURES, responses={200: documents.OutcomeSeries})
def list_outcomes(query: StatisticsQuery) -> Response:
    """Show how many sets were made and collected in each hour or day, and how that was learned."""
    return answer(read_outcomes(query))


def read_outcomes(query: StatisticsQuery) -> documents.OutcomeSeries:
    """Return the outcomes of each hour or day, also of those without any."""
    period = _period(query)
    with parts().database.reading() as session:
        rows = statistics.outcomes(
            session, account_ids(query), period=period, interval=query.interval
        )
    data = series.outcomes(rows, period=period, interval=query.interval)
    return documents.OutcomeSeries.model_validate(_series(query, period, data))


@blueprint.get("/errors", tags=_FIGURES, responses={200: documents.ErrorSeries})
def list_errors(query: StatisticsQuery) -> Response:
    """Show how many requests failed in each hour or day, by account and error code."""
    return answer(read_errors(query))


def read_errors(query: StatisticsQuery) -> documents.ErrorSeries:
    """Return the errors of each hour or day that has any, in words."""
    period = _period(query)
    with parts().database.reading() as session:
        rows = statistics.errors(
            session, account_ids(query), period=period, interval=query.interval
        )
    data = [
        {"at": row["hour"], **row, **documents.error_in_words(row["error_code"])} for row in rows
    ]
    return documents.ErrorSeries.model_validate(_series(query, period, data))


def _period(query: StatisticsQuery) -> Period:
    try:
        return series.period_of(
            query.since, query.until, interval=query.interval, now=parts().now()
        )
    except TooLong as error:
        raise Problem(400, str(error)) from error


def _series(query: StatisticsQuery, period: Period, data: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "since": period.since,
        "until": period.until,
        "interval": query.interval,
        "data": data,
    }
