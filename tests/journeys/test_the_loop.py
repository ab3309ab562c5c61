"""The loop whole: create, be notified or not, collect, and compare with what Facebook has."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest

from receiver.store.models import Look, Notification
from tests.support.processes import Customer, eventually, specs

AT_ONCE = {"kind": "at_once"}
SOON = {"kind": "after_seconds", "seconds": 0.3}


@dataclass(frozen=True)
class Trouble:
    """What Facebook does with a notification, the verdict on it, and how often it comes."""

    notification: dict[str, Any]
    verdict: str
    rows: int


TROUBLES = {
    "deliver": Trouble({"kind": "deliver"}, "delivered", rows=1),
    "never": Trouble({"kind": "never"}, "failed", rows=0),
    "lost": Trouble({"kind": "lost"}, "lost", rows=0),
    "error": Trouble({"kind": "error"}, "failed", rows=0),
    "late": Trouble({"kind": "late", "seconds": 0.9}, "delivered", rows=1),
    # Beyond the grace time: the verdict was failed by then, and evidence corrects it.
    "too_late": Trouble({"kind": "late", "seconds": 3}, "delivered", rows=1),
    "twice": Trouble({"kind": "twice"}, "delivered", rows=2),
    "before_answer": Trouble({"kind": "before_answer"}, "delivered", rows=1),
}


def encoded(how: str) -> dict[str, Any]:
    """A create's parameters in each of the ways in which a program may send them."""
    parameters = {
        "name": "Autumn",
        "notification_mode": "ON_COMPLETE",
        "notification_uri": "https://caller.example.com/hook?x=1",
    }
    if how == "json":
        return {"json": {**parameters, "ad_specs": specs(4)}}
    form = {**parameters, "ad_specs": json.dumps(specs(4))}
    return {"data": form} if how == "form" else {"files": {k: (None, form[k]) for k in form}}


@pytest.mark.parametrize(
    ("how", "version"), [("form", "/v21.0"), ("multipart", ""), ("json", "/v26.0")]
)
def test_a_set_is_created_notified_collected_and_read_back(
    customer: Customer, how: str, version: str
) -> None:
    customer.expect(progress=SOON)

    created = customer.call(
        "POST", f"{version}/act_{customer.account}/asyncadrequestsets", **encoded(how)
    )

    assert created.status_code == 200, created.text
    customer.wait_for_state()
    customer.assert_whole()
    (row,) = customer.sets()
    assert created.json() == {"id": str(row.facebook_id)}
    assert (row.verdict, row.learned_by) == ("delivered", "notification")
    fields = "name,is_completed,total_count,success_count,error_count,notification_uri"
    shown = customer.call("GET", f"{version}/{row.facebook_id}", params={"fields": fields}).json()
    assert shown == {
        "id": str(row.facebook_id),
        "name": "Autumn",
        "is_completed": True,
        "total_count": 4,
        "success_count": 3,
        "error_count": 1,
        "notification_uri": "https://caller.example.com/hook?x=1",
    }


def test_whatever_becomes_of_a_notification_its_set_is_collected(customer: Customer) -> None:
    for name, trouble in TROUBLES.items():
        progress = AT_ONCE if name == "before_answer" else SOON
        customer.expect(progress=progress, notification=trouble.notification, next_sets=1)
        customer.create_open(ads=30, name=name)

    expected = {name: trouble.verdict for name, trouble in TROUBLES.items()}
    eventually(
        lambda: {row.name: row.verdict for row in customer.sets()} == expected,
        what=f"the verdicts {expected}",
    )

    customer.assert_whole(sets=len(TROUBLES))
    names = {row.id: row.name for row in customer.sets()}
    kept = Counter(names[one.request_set_id] for one in customer.rows(Notification))
    assert kept == Counter({name: trouble.rows for name, trouble in TROUBLES.items()})
    collected = Counter(
        names[one.request_set_id] for one in customer.rows(Look) if one.kind == "requests"
    )
    assert collected == Counter(list(TROUBLES))
    eventually(
        lambda: all(one.applied_at for one in customer.rows(Notification)), what="every hint taken"
    )
    customer.wait_until_settled()


def test_whatever_a_notification_says_its_token_alone_is_believed(customer: Customer) -> None:
    customer.expect(progress={"kind": "by_hand"})
    other = customer.create_open()
    bodies = ["form", "json", "query", "empty", "garbage"]
    for body in bodies:
        customer.expect(notification={"kind": "deliver", "body": body, "body_id": other})
        customer.sandbox.complete(customer.create_open())

    eventually(
        lambda: [row.state for row in customer.sets()] == ["open", *["collected"] * 5],
        what="all collected but the one that the notifications named",
    )
    told = sorted(row.request_set_id for row in customer.rows(Notification))
    assert told == [row.id for row in customer.sets()][1:]
    customer.sandbox.complete(other)
    customer.wait_for_state()
    customer.assert_whole(sets=6)


def test_a_set_of_more_than_one_page_is_collected_whole(customer: Customer) -> None:
    customer.expect(progress=AT_ONCE)

    customer.create_open(ads=1000)

    customer.wait_for_state()
    customer.assert_whole()
    # The first page came with the set itself.
    assert len(customer.calls("/requests")) == 1


def test_a_set_that_makes_progress_is_looked_at_until_it_is_complete(customer: Customer) -> None:
    customer.expect(progress={"kind": "after_reads", "reads": 4}, notification={"kind": "never"})

    set_id = customer.create_open(ads=20)

    customer.wait_for_state()
    customer.assert_whole()
    readings = [one.is_completed for one in customer.rows(Look) if one.kind == "set"]
    assert readings[:4] == [False, False, False, True]
    assert [one["path"] for one in customer.calls(set_id)][:4] == [f"/{set_id}"] * 4


def test_a_refusal_reaches_the_caller_as_it_came_and_leaves_nothing_to_do(
    customer: Customer,
) -> None:
    customer.sandbox.trouble(
        "graph_error",
        account=customer.account,
        code=80004,
        subcode=2446079,
        message="There have been too many calls to this ad-account.",
    )

    refused = customer.create()

    assert (refused.status_code, refused.json()["error"]["code"]) == (400, 80004)
    assert refused.json()["error"]["error_subcode"] == 2446079
    (row,) = customer.sets()
    assert (row.state, row.look_at, customer.ledger()) == ("rejected", None, [])
    assert customer.findings() == []
