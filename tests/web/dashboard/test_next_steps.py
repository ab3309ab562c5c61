"""What the overview tells people to do next, the worst first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from receiver.web.admin.documents import Account, Integrity
from receiver.web.dashboard import next_steps, words

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def integrity(**counts: Any) -> Integrity:
    """How things stand: all is well, but for what is given."""
    nothing = {"missing": 0, "doubled": 0, "late": 0, "stuck": 0}
    rest = {"is_exact": dict.fromkeys(nothing, True), "rows": {"doubled": []}, "reconciled": {}}
    return Integrity.model_validate({**nothing, **rest, "counted_at": NOW, **counts})


def account(**known: Any) -> Account:
    """An account that is well, but for what is given."""
    return Account.model_validate(
        {
            "account_id": 5,
            "health": "ok",
            "reason": None,
            "resume_at": None,
            "tier": None,
            "score": 0,
            "score_limit": 9000,
            "score_percent": 0,
            "points_left": {"poll": 1, "collect": 1, "create": 1},
            "app_percent": None,
            "app_percent_at": None,
            "loss_rate": 0,
            "sets_learned_from": 100,
            "page_limit": None,
            "created_at": NOW,
            **known,
        }
    )


def told(
    found: Integrity,
    *accounts: Account,
    oldest_due: float | None = None,
    has_worker: bool = True,
    has_broker: bool = True,
) -> list[str]:
    steps = next_steps.steps(
        found, accounts, oldest_due=oldest_due, has_worker=has_worker, has_broker=has_broker
    )
    return [step.what for step in steps]


def test_that_the_broker_is_away_is_told_after_what_is_worse() -> None:
    assert told(integrity(), account(), has_worker=False, has_broker=False) == [
        "No worker is alive.",
        "The broker does not answer.",
    ]


def test_that_nobody_works_is_told_whatever_else_is_well() -> None:
    assert told(integrity(), account(), has_worker=False) == ["No worker is alive."]


def test_an_account_that_facebook_asked_to_wait_is_named() -> None:
    assert told(integrity(), account(health="waiting")) == ["act_5 has to wait."]


def test_where_all_is_well_there_is_nothing_to_do() -> None:
    assert told(integrity(), account(), oldest_due=119) == []
    assert next_steps.summary(integrity()) == "Nothing is missing, nothing is doubled"


def test_the_worst_comes_first() -> None:
    found = integrity(
        missing=2, doubled=1, late=1, stuck=3, rows={"doubled": [{"id": "7", "found_sets": ["1"]}]}
    )
    accounts = [account(loss_rate=0.2), account(health="parked", reason="The token ended.")]

    assert told(found, *accounts, oldest_due=7200) == [
        "Set 7 is doubled.",
        "2 sets missing.",
        "3 sets stuck.",
        "A set has waited 2 hours to be looked at.",
        "act_5 is parked.",
        "1 set late.",
        "Some notifications do not come.",
    ]
    assert next_steps.summary(found) == "2 missing, 1 doubled"


@pytest.mark.parametrize("known", [{"loss_rate": 0.1}, {"loss_rate": 1, "sets_learned_from": 9}])
def test_a_few_lost_notifications_are_nobodys_work(known: dict[str, Any]) -> None:
    assert told(integrity(), account(**known)) == []


@pytest.mark.parametrize(
    ("value", "written"), [(0, "0 sets"), (1, "1 set"), (2, "2 sets"), (1200, "1,200 sets")]
)
def test_one_of_something_is_not_many(value: int, written: str) -> None:
    assert words.counted(value, "set") == written
