"""A claim takes what it can have at once: what somebody has locked is passed over."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

import receiver.store
from receiver.graph.vocabulary import AD_SETS_EDGE
from receiver.store import (
    action_plans,
    changes,
    claims,
    deliveries,
    edges,
    intents,
    notifications,
    searches,
)
from receiver.store.action_plans import NewPlan
from receiver.store.audit import Actor
from receiver.store.database import Database
from receiver.store.edges import EdgeName
from receiver.store.models import (
    ActionPlanItem,
    Delivery,
    EdgeReading,
    Notification,
    RequestSet,
)
from tests.support.rows import ACCOUNT, NOW, add_account, add_open_set, at, notify

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

LOCKED, FREE = 1, 2
"""The two sets that there are: of one, somebody has the row in hand."""

LEASE = at(120)
EDGE = EdgeName(ACCOUNT, AD_SETS_EDGE)


def next_look_at(_quiet_looks: int) -> datetime:
    return at(15)


@pytest.fixture
def impatient(database: Database) -> Iterator[Database]:
    """Whoever waits for a lock on this one fails after a moment, with DatabaseAway."""
    url = database.engine.url.render_as_string(hide_password=False)
    with closing(Database(url, timeout_seconds=0.2)) as other:
        yield other


@pytest.fixture(autouse=True)
def _two_of_each(database: Database) -> None:
    add_account(database)
    for number in (LOCKED, FREE):
        assert add_open_set(database, number, look_at=at(number - 9)) == number
        notify(database, number)
    with database.writing() as session:
        for number in (LOCKED, FREE):
            session.execute(
                insert(Delivery).values(
                    request_set_id=number,
                    account_id=ACCOUNT,
                    message_id=str(number),
                    uri="https://caller.example/",
                    state="pending",
                    attempts=0,
                    send_at=at(number - 9),
                    created_at=NOW,
                )
            )
        sets = [(LOCKED, ACCOUNT), (FREE, ACCOUNT)]
        plan = NewPlan("plan", "look", "", public_url=None, sets=sets)
        action_plans.add(
            session, plan, by=Actor("a person"), expires_at=at(900), now=NOW - timedelta(days=1)
        )
        action_plans.confirm(session, "plan", now=NOW)


def claim_due(session: Session) -> list[int]:
    claim = claims.claim_due(
        session, [ACCOUNT], now=NOW, lease_until=LEASE, next_look_at=next_look_at
    )
    return [] if claim is None else [claim.request_set_id]


def claim_beside(session: Session) -> list[int]:
    third = claims.Claim(**{**vars(of_nobody()), "request_set_id": 99})
    found = claims.claim_beside(
        session,
        third,
        now=NOW,
        due_before=NOW,
        lease_until=LEASE,
        next_look_at=next_look_at,
        most=9,
    )
    return [claim.request_set_id for claim in found]


def of_nobody() -> claims.Claim:
    """A claim on a set that is not in SQL."""
    row = RequestSet(
        account_id=ACCOUNT,
        name="",
        ad_specs=b"[]",
        spec_count=0,
        caller_notification_mode="OFF",
        created_at=NOW,
        state=intents.UNKNOWN,
        attempt=1,
        is_completed=False,
        verdict="pending",
        quiet_looks=0,
        edge=AD_SETS_EDGE,
    )
    return claims.claim_row(row, next_look_at=next_look_at, lease_until=LEASE)


def claim_for_reader(session: Session) -> list[int]:
    found = [
        claims.claim_for_reader(session, number, now=NOW, lease_until=LEASE, read_before=None)
        for number in (LOCKED, FREE)
    ]
    return [claim.request_set_id for claim in found if claim is not None]


def claim_companions(session: Session) -> list[int]:
    other = claims.Claim(**{**vars(of_nobody()), "request_set_id": 99})
    found = searches.claim_companions(
        session,
        other,
        edges=[AD_SETS_EDGE],
        credential_id=1,
        next_look_at=next_look_at,
        lease_until=LEASE,
        now=NOW,
        most=9,
    )
    return [claim.request_set_id for claim in found]


def claim_recheck(session: Session) -> list[int]:
    recheck = searches.claim_recheck(session, now=NOW, again_at=LEASE)
    return [] if recheck is None else [recheck.request_set_id]


def claim_delivery(session: Session) -> list[int]:
    claim = deliveries.claim_due(session, now=NOW, lease_until=LEASE)
    return [] if claim is None else [claim.request_set_id]


def claim_item(session: Session) -> list[int]:
    claim = action_plans.claim_due(session, now=NOW, lease_until=LEASE, public_url="")
    return [] if claim is None else [claim.request_set_id]


def apply_hints(session: Session) -> list[int]:
    notifications.apply_hints(session, now=NOW)
    return [*session.scalars(select(RequestSet.id).where(RequestSet.hinted_at == NOW))]


def look_sooner(session: Session) -> list[int]:
    changes.look_sooner(session, ACCOUNT, due_before=at(60), now=NOW)
    return [*session.scalars(select(RequestSet.id).where(RequestSet.look_at == NOW))]


def hold_all(session: Session) -> list[int]:
    held = claims.Claim(**{**vars(of_nobody()), "lease": "shared"})
    searches.hold_all(session, held, lease_until=at(999))
    return [*session.scalars(select(RequestSet.id).where(RequestSet.lease_expires_at == at(999)))]


def unopened(session: Session) -> None:
    session.execute(update(RequestSet).values(state=intents.UNKNOWN, facebook_id=None))


def leased(session: Session) -> None:
    session.execute(update(RequestSet).values(lease_token="shared", lease_expires_at=LEASE))


Take = Callable[[Session], list[int]]
Prepare = Callable[[Session], None]

CLAIMS: dict[str, tuple[Take, Any, Prepare]] = {
    "claims.claim_due": (claim_due, RequestSet.id, lambda _: None),
    "claims.claim_beside": (claim_beside, RequestSet.id, lambda _: None),
    "claims.claim_for_reader": (claim_for_reader, RequestSet.id, lambda _: None),
    "searches.claim_companions": (claim_companions, RequestSet.id, unopened),
    "searches.claim_recheck": (
        claim_recheck,
        RequestSet.id,
        lambda session: void(session.execute(update(RequestSet).values(recheck_at=NOW))),
    ),
    "searches.hold_all": (hold_all, RequestSet.id, leased),
    "deliveries.claim_due": (claim_delivery, Delivery.request_set_id, lambda _: None),
    "action_plans.claim_due": (claim_item, ActionPlanItem.request_set_id, lambda _: None),
    "notifications.apply_hints": (apply_hints, Notification.request_set_id, lambda _: None),
    "changes.look_sooner": (
        look_sooner,
        RequestSet.id,
        lambda session: void(session.execute(update(RequestSet).values(look_at=at(30)))),
    ),
}


def void(_: object) -> None:
    """What a statement returns is not wanted."""


@pytest.mark.parametrize("name", CLAIMS)
def test_what_is_locked_is_passed_over_without_waiting(
    database: Database, impatient: Database, name: str
) -> None:
    take, column, prepare = CLAIMS[name]
    with database.writing() as session:
        prepare(session)
    with database.writing() as holding:
        in_hand = select(column).where(column == LOCKED).with_for_update()
        assert holding.execute(in_hand).all()
        with impatient.writing() as session:
            assert take(session) == [FREE]
            session.rollback()
    with impatient.writing() as session:
        # Some take one at a time.
        assert LOCKED in [*take(session), *take(session)]


def test_an_edge_that_somebody_has_in_hand_is_read_by_nobody_else(
    database: Database, impatient: Database
) -> None:
    def claim(session: Session) -> bool:
        claimed = edges.claim_reading(session, EDGE, read_before=NOW, lease_until=LEASE, now=NOW)
        return claimed is not None

    with database.writing() as session:
        session.execute(insert(EdgeReading).values(**vars(EDGE)))
    with database.writing() as holding:
        holding.execute(select(EdgeReading).with_for_update()).all()
        with impatient.writing() as session:
            assert not claim(session)
    with impatient.writing() as session:
        assert claim(session)


def test_every_claim_of_the_store_is_held_here() -> None:
    claiming = {
        f"{module.stem}.{function}"
        for module in Path(receiver.store.__file__).parent.glob("*.py")
        for function in re.findall(
            r"^def (claim_\w+)\(\s*session", module.read_text(), re.MULTILINE
        )
    }
    assert claiming - {"edges.claim_reading"} <= set(CLAIMS)
    assert len(claiming) >= 7
