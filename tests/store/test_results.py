from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from receiver.graph.vocabulary import is_final
from receiver.graph.wire import RequestReading
from receiver.store import results
from receiver.store.database import Database, DatabaseAway
from receiver.store.models import Request
from receiver.store.results import Progress, ReadPage
from receiver.store.types import MAX_ID
from tests.support import rows as support
from tests.support.databases import refuse_rows
from tests.support.rows import ACCOUNT, add_account, add_open_set, at, request_reading, rows

ONE_DATABASE = settings(
    # One database serves all examples: each leaves it as it was.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=40,
    deadline=None,
)


@pytest.fixture
def a_set(database: Database) -> int:
    add_account(database)
    return add_open_set(database, 1)


def upsert(
    database: Database, request_set_id: int, *readings: RequestReading, second: float = 0
) -> list[int]:
    with database.writing() as session:
        return support.upsert(session, request_set_id, readings, read_at=at(second))


def progress(database: Database, request_set_id: int) -> Progress:
    with database.reading() as session:
        return support.progress(session, request_set_id)


def stored(database: Database, request_id: int) -> dict[str, Any]:
    with database.reading() as session:
        row = session.execute(
            select(*Request.__table__.columns).where(Request.id == request_id)
        ).one()
        return dict(row._mapping)


SUCCESS = {"status": "SUCCESS", "result": b'{"id":"9"}', "created_object_id": 9}


def test_every_field_of_a_reading_is_stored(database: Database, a_set: int) -> None:
    reading = RequestReading(
        id=MAX_ID,
        scope_object_id=MAX_ID - 1,
        status="ERROR",
        type="ASYNC_ADGROUP_CREATION",
        result=b'{"error_code":1487,"error_message":"\\u0000 \\ud800"}',
        input=b'{"adgroup_spec":{}}',
        created_object_id=None,
        error_code=1487,
        error_message="\ufffd \ufffd",
        created_time="2014-06-19T14:28:31-0700",
        updated_time="2014-06-19T14:28:36-0700",
    )
    assert upsert(database, a_set, reading, second=7) == []
    assert stored(database, MAX_ID) == {
        **reading._asdict(),
        "request_set_id": a_set,
        "account_id": ACCOUNT,
        "is_final": True,
        "read_at": at(7),
    }


def test_running_a_page_twice_changes_nothing(database: Database, a_set: int) -> None:
    page = [request_reading(number, status="IN_PROGRESS") for number in range(1, 30)]
    upsert(database, a_set, *page)
    before = [stored(database, number) for number in range(1, 30)]
    upsert(database, a_set, *page)
    assert [stored(database, number) for number in range(1, 30)] == before


def test_a_final_status_is_never_replaced(database: Database, a_set: int) -> None:
    upsert(database, a_set, request_reading(1, **SUCCESS), second=1)
    lies = (
        request_reading(1, status="IN_PROGRESS"),
        request_reading(1, status="ERROR", result=b'{"error_code":1}', error_code=1),
        request_reading(1, status="SUCCESS", result=None),
    )
    for second, lie in enumerate(lies, start=2):
        upsert(database, a_set, lie, second=second)
    row = stored(database, 1)
    assert {name: row[name] for name in SUCCESS} == SUCCESS
    assert row["is_final"] is True


def test_a_result_is_never_replaced_by_none(database: Database, a_set: int) -> None:
    upsert(database, a_set, request_reading(1, status="SHINY_NEW", result=b"1", input=b"2"))
    upsert(database, a_set, request_reading(1, status="SHINY_NEW"), second=1)
    row = stored(database, 1)
    assert (row["result"], row["input"]) == (b"1", b"2")


def test_an_older_reading_never_replaces_a_newer_one(database: Database, a_set: int) -> None:
    upsert(database, a_set, request_reading(1, status="IN_PROGRESS"), second=5)
    upsert(database, a_set, request_reading(1, status="INITIAL"), second=4)
    row = stored(database, 1)
    assert (row["status"], row["read_at"]) == ("IN_PROGRESS", at(5))


def test_a_final_reading_counts_even_if_it_is_older_than_one_that_shows_less(
    database: Database, a_set: int
) -> None:
    """What is final never changes, so the newer reading came from a server that lags."""
    upsert(database, a_set, request_reading(1, status="IN_PROGRESS"), second=5)
    upsert(database, a_set, request_reading(1, **SUCCESS), second=4)
    assert stored(database, 1)["status"] == "SUCCESS"
    assert progress(database, a_set) == Progress(rows=1, final=1)


def test_a_request_that_one_page_shows_twice_keeps_its_most_advanced_state(
    database: Database, a_set: int
) -> None:
    assert upsert(database, a_set, request_reading(1, **SUCCESS), request_reading(1)) == []
    assert stored(database, 1)["status"] == "SUCCESS"


def test_a_request_of_another_set_is_never_taken_over(database: Database, a_set: int) -> None:
    other = add_open_set(database, 2)
    upsert(database, a_set, request_reading(1, status="IN_PROGRESS"))
    upsert(database, other, request_reading(1, **SUCCESS), second=9)
    row = stored(database, 1)
    assert (row["request_set_id"], row["status"]) == (a_set, "IN_PROGRESS")
    assert progress(database, other) == Progress(rows=0, final=0)


@dataclass(frozen=True)
class Seen:
    """A reading and when it was made."""

    reading: RequestReading
    second: int


@st.composite
def true_readings(draw: st.DrawFn) -> list[Seen]:
    """Readings of one request by servers that lag, hide fields, and never contradict its end."""
    truth: dict[str, Any] = {
        "scope_object_id": 5,
        "type": "ASYNC_ADGROUP_CREATION",
        "input": b"{}",
        "created_time": "then",
    }
    end: dict[str, Any] = draw(
        st.sampled_from(
            [
                SUCCESS,
                {"status": "ERROR", "result": b"{}", "error_code": 1, "error_message": "no"},
                {"status": "CANCELED"},
            ]
        )
    )
    seen = []
    for second in draw(st.lists(st.integers(0, 20), min_size=1, max_size=6, unique=True)):
        status = draw(st.sampled_from(["INITIAL", "IN_PROGRESS", "SHINY_NEW"]))
        state = draw(st.sampled_from([{"status": status}, end]))
        hidden = draw(st.sets(st.sampled_from([*truth, "result"])))
        shown = {**truth, **state}
        shown = {name: value for name, value in shown.items() if name not in hidden}
        seen.append(Seen(request_reading(1, **shown), second))
    return seen


@ONE_DATABASE
@given(data=st.data(), seen=true_readings())
def test_readings_in_any_order_and_number_end_in_the_same_most_advanced_state(
    database: Database, a_set: int, data: st.DataObject, seen: list[Seen]
) -> None:
    shuffled = data.draw(st.permutations(seen))
    ends = [end_of(database, a_set, order) for order in (seen, shuffled, seen + shuffled)]
    best = max(seen, key=lambda one: (is_final(one.reading.status), one.second))
    assert [end["status"] for end in ends] == [best.reading.status] * 3
    for name in ("result", "input", "scope_object_id", "type", "created_time", "error_code"):
        known = {getattr(one.reading, name) for one in seen} - {None}
        assert {end[name] for end in ends} == (known or {None})


def end_of(database: Database, request_set_id: int, seen: list[Seen]) -> dict[str, Any]:
    """Write the readings in this order and return what becomes of them; nothing stays."""
    with database.writing() as session:
        for one in seen:
            support.upsert(session, request_set_id, [one.reading], read_at=at(one.second))
        row = session.execute(select(*Request.__table__.columns)).one()
        session.rollback()
    return dict(row._mapping)


@pytest.mark.parametrize("bad", [(1,), (250,), (500,), (7, 8, 400)])
def test_poisoned_rows_are_refused_and_all_others_are_stored(
    database: Database, a_set: int, bad: tuple[int, ...]
) -> None:
    refuse_rows(database, "request", where=" OR ".join(f"NEW.id = {one}" for one in bad))
    page = [request_reading(number, **SUCCESS) for number in range(1, 501)]
    assert upsert(database, a_set, *page) == list(bad)
    assert progress(database, a_set) == Progress(rows=500 - len(bad), final=500 - len(bad))


def test_refusals_are_named_by_their_sets(database: Database, a_set: int) -> None:
    other = add_open_set(database, 2)
    refuse_rows(database, "request", where="NEW.id IN (3, 12, 15)")
    pages = [
        ReadPage(a_set, ACCOUNT, [request_reading(n) for n in range(1, 10)], read_at=at(0)),
        ReadPage(other, ACCOUNT, [request_reading(n) for n in range(11, 20)], read_at=at(0)),
    ]
    with database.writing() as session:
        assert results.upsert(session, pages) == {a_set: [3], other: [12, 15]}
    assert [progress(database, one).rows for one in (a_set, other)] == [8, 7]


def test_a_request_that_two_pages_show_stays_with_the_set_of_the_first(
    database: Database, a_set: int
) -> None:
    other = add_open_set(database, 2)
    pages = [
        ReadPage(one, ACCOUNT, [request_reading(1), request_reading(own)], read_at=at(0))
        for one, own in ((a_set, 2), (other, 3))
    ]
    with database.writing() as session:
        assert results.upsert(session, pages) == {}
    assert {row.id: row.request_set_id for row in rows(database, Request)} == {
        1: a_set,
        2: a_set,
        3: other,
    }


def test_a_number_that_no_column_holds_is_refused_alone(database: Database, a_set: int) -> None:
    page = [request_reading(1), request_reading(2, scope_object_id=2**70), request_reading(3)]
    assert upsert(database, a_set, *page) == [2]
    assert [row.id for row in rows(database, Request)] == [1, 3]


def test_a_text_that_no_database_holds_is_refused_alone(database: Database, a_set: int) -> None:
    page = [request_reading(1), request_reading(2, error_message="\ud800"), request_reading(3)]
    assert upsert(database, a_set, *page) == [2]
    assert [row.id for row in rows(database, Request)] == [1, 3]


def test_a_database_that_is_away_is_no_fault_of_a_row(database: Database, a_set: int) -> None:
    page = [request_reading(n, result=b"x" * 100_000) for n in (1, 2)]

    def write_and_break_down() -> None:
        with database.writing() as session:
            break_down(database, session)
            support.upsert(session, a_set, page)

    with pytest.raises(DatabaseAway):
        write_and_break_down()
    assert rows(database, Request) == []


def break_down(database: Database, session: Session) -> None:
    """Let the disk be full, or the server end the connection."""
    if database.engine.dialect.name == "sqlite":
        session.execute(text("PRAGMA max_page_count = 1"))
        return
    process = session.execute(text("SELECT pg_backend_pid()")).scalar_one()
    with database.writing() as killer:
        killer.execute(text("SELECT pg_terminate_backend(:p)"), {"p": process})


def test_no_readings_are_no_statement(database: Database, a_set: int) -> None:
    assert upsert(database, a_set) == []
    assert progress(database, a_set) == Progress(rows=0, final=0)


def test_only_final_requests_count_as_final(database: Database, a_set: int) -> None:
    statuses = ["INITIAL", "IN_PROGRESS", "SUCCESS", "ERROR", "ERROR_DEPENDENCY", "canceled", "NEW"]
    page = [request_reading(n, status=status) for n, status in enumerate(statuses, start=1)]
    upsert(database, a_set, *page)
    assert progress(database, a_set) == Progress(rows=7, final=4)
