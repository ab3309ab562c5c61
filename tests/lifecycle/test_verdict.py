from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.lifecycle.verdict import VERDICTS, verdict_of
from tests.support.pace import PACE
from tests.support.rows import NOW, set_reading


def verdict(
    *,
    age_seconds: float | None = 0,
    is_notified: bool = False,
    status: str | None = None,
    result: str | None = None,
    mode: str | None = "ON_COMPLETE",
) -> str:
    """The verdict of a set that has been complete for so long; None: it is not complete."""
    reading = set_reading(
        is_completed=age_seconds is not None,
        notification_mode=mode,
        notification_status=status,
        notification_result_status=result,
    )
    completed_at = None if age_seconds is None else NOW - timedelta(seconds=age_seconds)
    return verdict_of(
        reading, is_notified=is_notified, completed_at=completed_at, pace=PACE, now=NOW
    )


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ({"age_seconds": None}, "pending"),
        ({"age_seconds": None, "is_notified": True}, "pending"),
        ({"age_seconds": None, "status": "SENT", "result": "503"}, "pending"),
        ({"is_notified": True}, "delivered"),
        ({"is_notified": True, "status": "SENT", "result": "503"}, "delivered"),
        ({"is_notified": True, "mode": "OFF"}, "delivered"),
        ({"status": "SENT", "result": "200"}, "lost"),
        ({"status": "sent", "result": "204"}, "lost"),
        ({"status": "Sent"}, "lost"),
        ({"status": "SENT", "result": "503"}, "failed"),
        ({"status": "SENT", "result": "302"}, "failed"),
        ({"status": "SENT", "result": "404"}, "failed"),
        ({"status": "SENT", "result": "timeout"}, "failed"),
        ({"status": "SENT", "result": "connection_error"}, "failed"),
        ({"status": "SENT", "result": "2"}, "failed"),
        ({"status": "SENT", "result": "2000"}, "failed"),
        ({"status": "SENT", "result": "2nd"}, "failed"),
        ({"status": "NOT_SENT", "age_seconds": 119}, "pending"),
        ({"status": "NOT_SENT", "age_seconds": 120}, "failed"),
        ({"status": "not_sent", "age_seconds": 500}, "failed"),
        ({"status": "SENDING", "age_seconds": 119}, "pending"),
        ({"status": "Sending", "age_seconds": 121}, "failed"),
        ({"status": None, "age_seconds": 119}, "pending"),
        ({"status": None, "age_seconds": 120}, "failed"),
        ({"status": "FAILED"}, "failed"),
        ({"status": "shiny_new", "result": "200"}, "failed"),
        ({"mode": "OFF"}, "none"),
        ({"mode": "off", "status": "NOT_SENT", "age_seconds": 500}, "none"),
        ({"mode": "0"}, "none"),
        ({"mode": "1", "age_seconds": 500}, "failed"),
        ({"mode": None, "age_seconds": 500}, "failed"),
    ],
)
def test_what_a_look_shows_decides_the_verdict(shown: dict[str, Any], expected: str) -> None:
    assert verdict(**shown) == expected


@pytest.mark.parametrize(
    ("shown", "expected"), [({"status": "SENT", "result": "200"}, "lost"), ({}, "failed")]
)
def test_a_set_that_was_complete_before_is_judged_as_complete(
    shown: dict[str, Any], expected: str
) -> None:
    """An answer that shows it incomplete again comes from a server that lags."""
    reading = set_reading(
        is_completed=False,
        notification_status=shown.get("status"),
        notification_result_status=shown.get("result"),
    )
    completed_at = NOW - timedelta(seconds=500)
    assert expected == verdict_of(
        reading, is_notified=False, completed_at=completed_at, pace=PACE, now=NOW
    )


@given(
    age_seconds=st.none() | st.floats(0, 1e6),
    is_notified=st.booleans(),
    status=st.none() | st.text(max_size=10) | st.sampled_from(["SENT", "SENDING", "NOT_SENT"]),
    result=st.none() | st.text(max_size=5),
    mode=st.none() | st.text(max_size=5),
)
def test_no_word_of_facebooks_is_without_a_verdict(**shown: Any) -> None:
    assert verdict(**shown) in VERDICTS
