"""Edges that others write too: read under a lease, kept, and merged with ours by id."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert

from receiver.graph.vocabulary import AD_SETS_EDGE
from receiver.graph.wire import NodeReading
from receiver.store import edges, intents
from receiver.store.database import Database
from receiver.store.edges import EdgeClaim, EdgeLeaseLost, EdgeName
from receiver.store.models import Account, EdgeMember, RequestSet
from tests.support.rows import ACCOUNT, NOW, add_account, at, rows

NAME = EdgeName(ACCOUNT, AD_SETS_EDGE)


def claim(database: Database, seconds: float = 0, *, ttl: float = 5) -> EdgeClaim | None:
    with database.writing() as session:
        return edges.claim_reading(
            session,
            NAME,
            read_before=at(seconds - ttl),
            lease_until=at(seconds + 60),
            now=at(seconds),
        )


def keep(
    database: Database, claimed: EdgeClaim, *ids: int, is_final: bool = True, seconds: float = 0
) -> bool:
    nodes = [NodeReading(each, is_final=is_final, record=b'{"id": 1}') for each in ids]
    with database.writing() as session:
        return edges.keep_page(
            session,
            claimed,
            nodes,
            after="cursor",
            read_at=at(seconds),
            lease_until=at(seconds + 60),
        )


def finish(database: Database, claimed: EdgeClaim, seconds: float = 0) -> None:
    with database.writing() as session:
        edges.finish_reading(
            session, claimed, read_at=at(seconds), walked_at=at(seconds), after=None
        )


def test_one_reads_at_a_time_and_not_before_its_time(database: Database) -> None:
    first = claim(database)
    assert first is not None
    assert claim(database, 1) is None
    finish(database, first)
    assert claim(database, 4) is None
    assert claim(database, 5) is not None


def test_a_reading_goes_on_where_the_last_one_had_to_stop(database: Database) -> None:
    first = claim(database)
    assert first is not None
    keep(database, first, 1, 2)
    with database.writing() as session:
        edges.finish_reading(session, first, read_at=None, walked_at=None, after="cursor")
    second = claim(database, 1)
    assert second is not None
    assert (second.after, second.walked_at) == ("cursor", None)


def test_who_lost_the_lease_writes_nothing(database: Database) -> None:
    slow = claim(database)
    assert slow is not None
    assert claim(database, 61) is not None
    with pytest.raises(EdgeLeaseLost):
        keep(database, slow, 1)
    with pytest.raises(EdgeLeaseLost):
        finish(database, slow)
    assert rows(database, EdgeMember) == []


def test_only_what_is_new_is_news_and_what_is_final_stays(database: Database) -> None:
    claimed = claim(database)
    assert claimed is not None
    assert keep(database, claimed, 1, is_final=False)
    assert keep(database, claimed, 1, is_final=True, seconds=1)
    assert not keep(database, claimed, 1, is_final=False, seconds=2)
    (member,) = rows(database, EdgeMember)
    assert (member.is_final, member.read_at) == (True, at(1))


IDS = st.sets(st.integers(1, 60), max_size=40)


@given(own=IDS, others=IDS, limit=st.integers(1, 9))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pages_of_ours_and_others_show_each_once_forwards_and_backwards(
    database: Database, own: set[int], others: set[int], limit: int
) -> None:
    if not rows(database, Account):
        add_account(database)
    _put(database, own, others)
    expected = sorted(own | others, reverse=True)
    forwards: list[int] = []
    while page := _page(database, after=forwards[-1] if forwards else None, limit=limit):
        forwards += page
    assert forwards == expected
    backwards: list[int] = []
    while page := _page(database, before=backwards[0] if backwards else 1, limit=limit):
        backwards = page + backwards
    assert backwards == [each for each in expected if each > 1]
    with database.reading() as session:
        count = edges.count_sets(session, NAME, own_edges=[AD_SETS_EDGE], is_completed=None)
    assert count == len(expected)


def _put(database: Database, own: set[int], others: set[int]) -> None:
    """Let the account have these sets, of which ours stand on the edge too."""
    sets = [
        {
            "account_id": ACCOUNT,
            "facebook_id": each,
            "name": "A set",
            "ad_specs": b"[{}]",
            "spec_count": 1,
            "caller_notification_mode": "OFF",
            "created_at": NOW,
            "state": intents.OPEN,
            "attempt": 1,
            "is_completed": False,
            "verdict": "pending",
            "quiet_looks": 0,
        }
        for each in own
    ]
    members = [
        {**vars(NAME), "member_id": each, "is_final": True, "record": b"{}", "read_at": NOW}
        for each in own | others
    ]
    with database.writing() as session:
        session.execute(delete(EdgeMember))
        session.execute(delete(RequestSet))
        for model, values in ((RequestSet, sets), (EdgeMember, members)):
            if values:
                session.execute(insert(model), values)


def _page(
    database: Database, *, after: int | None = None, before: int | None = None, limit: int
) -> list[int]:
    with database.reading() as session:
        return edges.set_ids(
            session,
            NAME,
            own_edges=[AD_SETS_EDGE],
            is_completed=None,
            after=after,
            before=before,
            limit=limit,
        )
