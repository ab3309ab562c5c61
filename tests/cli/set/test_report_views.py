from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from receiver.cli.set.report_views import Bars, advice, exit_code, view_for
from receiver.cli.set.sending import NOT_SENT, Report, Result
from receiver.cli.set.splitting import Part, Split
from receiver.store.progress import SetProgress
from tests.support.house import ACCOUNT

PARTS = tuple(Part(n, 2 * n - 1, 2 * n, digest=b"") for n in range(1, 4))
CREATED = Result(PARTS[0], "open", 1, 1001)
REFUSED = Result(PARTS[1], "rejected", 2, reason="Nobody wants this.")
UNKNOWN = Result(PARTS[2], "unknown", 3, reason="cut")
UNSENT = Result(PARTS[2], NOT_SENT)
FAILED = SetProgress(
    id=1,
    account_id=ACCOUNT,
    facebook_id=1001,
    name="ads 1/3",
    state="collected",
    state_reason=None,
    spec_count=2,
    total_count=2,
    success_count=1,
    error_count=1,
    canceled_count=0,
    verdict="delivered",
)


@pytest.mark.parametrize(
    ("results", "how", "code"),
    [
        ([CREATED], {}, 0),
        ([CREATED, REFUSED], {}, 1),
        ([CREATED, UNSENT], {}, 1),
        ([CREATED, REFUSED, UNKNOWN], {}, 3),
        ([replace(CREATED, state="stuck")], {}, 3),
        ([CREATED, REFUSED], {"stopped_by": "no connection"}, 1),
        ([UNKNOWN, UNSENT], {"is_interrupted": True}, 130),
    ],
)
def test_what_is_not_known_goes_before_what_went_wrong(
    results: list[Result], how: dict[str, Any], code: int
) -> None:
    assert exit_code(Report(results, **how), with_counts=False) == code


def test_failed_requests_count_only_for_those_who_waited_for_them() -> None:
    report = Report([replace(CREATED, progress=FAILED)])
    codes = [exit_code(report, with_counts=with_counts) for with_counts in (False, True)]
    assert codes == [0, 1]


@pytest.mark.parametrize(
    ("report", "prefix", "sentence"),
    [
        (Report([CREATED, UNSENT], is_interrupted=True), None, "Run the same command to go on"),
        (Report([CREATED, UNSENT]), "again-1", "--idempotency-prefix again-1 instead of --again"),
        (Report([CREATED, UNKNOWN], is_interrupted=True), None, "receiver set watch 1 3"),
        (Report([UNSENT], stopped_by="It is parked."), None, "Error: It is parked."),
    ],
)
def test_it_is_said_how_to_go_on(report: Report, prefix: str | None, sentence: str) -> None:
    assert sentence in "\n".join(advice(report, prefix=prefix))


def test_nothing_is_said_where_nothing_is_left_to_do() -> None:
    assert list(advice(Report([CREATED, REFUSED]), prefix=None)) == []


def test_a_terminal_shows_bars_with_what_went_wrong_and_why_it_waits() -> None:
    output = StringIO()
    console = Console(file=output, force_terminal=True, width=200)
    view = view_for(console, Split(PARTS, digest=""))
    assert isinstance(view, Bars)
    with view.showing():
        for result in (CREATED, REFUSED):
            view.show(result)
        view.wait("[a limit] is used up.", datetime(2026, 1, 1, 12, tzinfo=UTC))
    assert "Waiting until 12:00:00 UTC: [a limit] is used up." in output.getvalue()
    with view.showing():
        view.wait("", None)
        view.show(UNKNOWN)
    shown = output.getvalue()
    assert "1 refused, 1 being found out" in shown
    assert "3/3" in shown
    assert "6/6" in shown
