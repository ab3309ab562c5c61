"""Which sets an action fits: the same for a set's buttons and for a plan."""

from __future__ import annotations

from typing import Any

import pytest

from receiver.lifecycle.actions.catalog import ACTIONS

COLLECTED = {"state": "collected", "error_count": 0, "caller_notification_mode": "OFF"}


def fitting(**known: Any) -> list[str]:
    """The names of the actions that fit a collected set, of which something is known."""
    return [name for name, action in ACTIONS.items() if action.fits({**COLLECTED, **known})]


@pytest.mark.parametrize(
    ("known", "names"),
    [
        ({}, ["collect"]),
        ({"error_count": None}, ["collect"]),
        ({"error_count": 1}, ["collect", "resubmit"]),
        ({"caller_notification_mode": "ON_COMPLETE"}, ["collect", "replay"]),
        ({"state": "open", "error_count": 1}, ["look", "cancel", "repoint"]),
        ({"state": "rejected", "error_count": 1}, []),
    ],
    ids=str,
)
def test_an_action_fits_by_state_failures_and_caller(
    known: dict[str, Any], names: list[str]
) -> None:
    assert fitting(**known) == names
