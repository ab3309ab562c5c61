"""A plan chooses what the action fits of what meets the filters, and reads no more than that."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest

from receiver.lifecycle import choosing
from receiver.lifecycle.choosing import Planned
from receiver.store import intents
from receiver.store.audit import Actor
from receiver.store.lists import paging
from receiver.store.lists.request_sets import SetFilter
from receiver.store.models import ActionPlan, ActionPlanItem, RequestSet
from tests.support.house import ACCOUNT, House

ME = Actor("a person")


def make(house: House, action: str, *, after: Any = None, **filters: Any) -> Planned:
    wanted = SetFilter([ACCOUNT], **filters)
    return choosing.make(house.parts.tools, action, wanted, detail="", by=ME, after=after)


def collected(house: House, count: int) -> None:
    """Add collected sets, without asking Facebook."""
    columns = [
        column.name
        for column in RequestSet.__table__.columns
        if column.name not in ("id", "facebook_id", "state")
    ]
    names = ", ".join(columns)
    with house.parts.database.writing() as session:
        session.connection().exec_driver_sql(
            f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) "
            f"INSERT INTO request_set ({names}, facebook_id, state) "
            f"SELECT {names}, 900000000 + i, 'collected' FROM request_set, n "
            "WHERE request_set.id = 1"
        )


def test_what_the_action_does_not_fit_is_not_even_read(house: House) -> None:
    house.create_open()
    collected(house, 2_000)
    with mock.patch.object(paging, "read_page", side_effect=paging.read_page) as read_page:
        planned = make(house, "cancel")

    assert planned.sets == 1
    assert read_page.call_count == 1


@pytest.mark.parametrize(
    ("action", "filters"),
    [
        ("cancel", {"states": [intents.COLLECTED, intents.REJECTED]}),
        ("resubmit", {"states": [intents.OPEN]}),
        ("resubmit", {"has_errors": False}),
    ],
    ids=str,
)
def test_filters_that_the_action_does_not_fit_choose_nothing(
    house: House, action: str, filters: dict[str, Any]
) -> None:
    house.create_open()

    planned = make(house, action, **filters)

    assert (planned.sets, planned.next_key) == (0, None)
    assert "is for sets that are" in (planned.note or "")


def test_filters_that_the_action_fits_in_part_choose_that(house: House) -> None:
    house.create_open()

    planned = make(house, "cancel", states=[intents.OPEN, intents.COLLECTED], has_errors=False)

    assert (planned.sets, planned.note) == (1, None)


def test_the_rest_begins_where_a_plan_ended(house: House) -> None:
    for _ in range(4):
        house.create_open()
    with mock.patch.object(choosing, "PLANNED_MOST", 2):
        first = make(house, "look")
        second = make(house, "look", after=first.next_key)

    assert (first.sets, second.sets, second.next_key) == (2, 2, None)
    planned = [(item.plan_id, item.request_set_id) for item in house.rows(ActionPlanItem)]
    assert sorted(planned, key=lambda one: one[1]) == [
        *((second.plan_id, number) for number in (1, 2)),
        *((first.plan_id, number) for number in (3, 4)),
    ]


def test_a_plan_ends_after_so_many_pages_and_says_where_to_go_on(house: House) -> None:
    house.create_open(name="Spring")
    collected(house, 1)
    for _ in range(3):
        house.create_open(name="Autumn")
    with (
        mock.patch.object(choosing, "_PAGES_MOST", 2),
        mock.patch.object(paging, "WINDOW_ROWS", 1),
    ):
        first = make(house, "look", name="spring")
        second = make(house, "look", name="spring", after=first.next_key)

    assert (first.sets, second.sets) == (0, 1)
    assert first.next_key is not None


def test_only_what_points_sets_here_is_bound_to_the_public_url(house: House) -> None:
    make(house, "repoint")
    make(house, "cancel")

    bound = {plan.action: plan.public_url for plan in house.rows(ActionPlan)}
    assert bound == {"repoint": house.parts.tools.public_url, "cancel": None}
