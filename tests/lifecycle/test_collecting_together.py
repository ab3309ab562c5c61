"""Many sets are collected in few calls and statements, and one's trouble is its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self
from unittest import mock

from sqlalchemy import event, update

from receiver.graph import looks as graph_looks
from receiver.lifecycle import collect as collecting
from receiver.lifecycle import knowledge, pages
from receiver.store import intents, results
from receiver.store.models import Look, Request, RequestSet
from tests.support.databases import refuse_rows
from tests.support.house import ACCOUNT, House, ad

BY_HAND = {"kind": "by_hand"}
NEVER = {"kind": "never"}


def complete_sets(house: House, count: int, *, ads: int = 2, wanted: Any = None) -> list[str]:
    """Create sets that are complete, and of which no notification came."""
    house.sandbox.configure(f"act_{ACCOUNT}", progress=BY_HAND, notification=NEVER)
    specs = [ad(f"ad {number}" if number else "will fail") for number in range(ads)]
    ids = [
        house.create_open(specs, name=f"set {number}", **(wanted or {})) for number in range(count)
    ]
    for set_id in ids:
        house.sandbox.complete(set_id)
    house.clock.move(2000)
    return ids


def requests_at_facebook(house: House, set_id: str) -> list[int]:
    (entry,) = (one for one in house.sandbox.ledger() if one["id"] == set_id)
    return [int(one["id"]) for one in entry["requests"]]


def states(house: House) -> list[str]:
    return [row.state for row in house.rows(RequestSet)]


def stored(house: House) -> set[int]:
    return {row.id for row in house.rows(Request)}


@contextmanager
def before_the_requests_come(house: House, request_set_id: int, **values: Any) -> Iterator[None]:
    """Let somebody else write to a set while Facebook is asked for requests."""
    request_pages = graph_looks.request_pages

    def read(*arguments: Any, **named: Any) -> Any:
        with house.parts.database.writing() as session:
            session.execute(
                update(RequestSet).where(RequestSet.id == request_set_id).values(**values)
            )
        return request_pages(*arguments, **named)

    with mock.patch.object(graph_looks, "request_pages", read):
        yield


def test_a_set_whose_lease_is_lost_writes_nothing_and_the_others_do(house: House) -> None:
    ids = complete_sets(house.without_expansion(), 4)
    with before_the_requests_come(house, 2, lease_token="another worker's"):
        house.work()
    assert states(house) == [intents.COLLECTED, intents.COMPLETED, *[intents.COLLECTED] * 2]
    theirs = house.rows(RequestSet)[1]
    assert (theirs.lease_token, theirs.collected_at) == ("another worker's", None)
    others = [
        one for set_id in ids if set_id != ids[1] for one in requests_at_facebook(house, set_id)
    ]
    assert stored(house) == set(others)
    (lost,) = [look for look in house.rows(Look) if look.error is not None]
    assert (lost.request_set_id, lost.kind) == (2, "requests")
    assert "another worker has the set" in (lost.error or "")


def test_a_row_that_the_database_refuses_holds_up_its_own_set_only(house: House) -> None:
    ids = complete_sets(house.without_expansion(), 4)
    bad = requests_at_facebook(house, ids[2])[0]
    refuse_rows(house.parts.database, "request", where=f"NEW.id = {bad}")
    house.work()
    rows = house.rows(RequestSet)
    assert [row.state for row in rows] == [
        intents.COLLECTED,
        intents.COLLECTED,
        intents.COMPLETED,
        intents.COLLECTED,
    ]
    reason = f"1 of the requests that Facebook showed cannot be stored, the first is {bad}."
    assert rows[2].state_reason == reason
    assert len(stored(house)) == 7


def test_a_set_whose_end_cannot_be_written_is_put_off_alone(house: House) -> None:
    wanted = {"notification_uri": "https://caller.test/", "notification_mode": "ON_COMPLETE"}
    complete_sets(house.without_expansion(), 5, wanted=wanted)
    refuse_rows(house.parts.database, "delivery", where="NEW.request_set_id = 4")
    house.work()
    rows = house.rows(RequestSet)
    assert [row.id for row in rows if row.state != intents.COLLECTED] == [4]
    assert (rows[3].state, rows[3].lease_token) == (intents.COMPLETED, None)
    assert "An unforeseen" in (rows[3].state_reason or "")
    assert "secret" not in (rows[3].state_reason or "")


def test_a_set_that_facebook_does_not_show_is_put_off_alone(house: House) -> None:
    ids = complete_sets(house.without_expansion(), 4)
    house.sandbox.trouble("graph_error", code=100, path=f"{ids[0]}/requests$", count=None)
    house.work()
    assert states(house) == [intents.COMPLETED, *[intents.COLLECTED] * 3]


def test_all_trouble_at_once_leaves_the_rest_alone(house: House) -> None:
    """One is lost, one cannot be stored, one fails at Facebook, and three are fine."""
    ids = complete_sets(house.without_expansion(), 6)
    bad = requests_at_facebook(house, ids[2])[1]
    refuse_rows(house.parts.database, "request", where=f"NEW.id = {bad}")
    house.sandbox.trouble("graph_error", code=100, path=f"{ids[4]}/requests$", count=None)
    with before_the_requests_come(house, 1, lease_token="another worker's"):
        house.work()
    collected = [row.id for row in house.rows(RequestSet) if row.state == intents.COLLECTED]
    assert collected == [2, 4, 6]
    fine = {one for number in collected for one in requests_at_facebook(house, ids[number - 1])}
    assert fine < stored(house)
    assert not stored(house) & {bad, *requests_at_facebook(house, ids[0])}


class _Statements:
    """The statements that a block makes."""

    def __init__(self, house: House) -> None:
        self._engine = house.parts.database.engine
        self.made: list[str] = []

    def __enter__(self) -> Self:
        event.listen(self._engine, "before_cursor_execute", self._note)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(self._engine, "before_cursor_execute", self._note)

    def _note(self, *arguments: Any) -> None:
        self.made.append(arguments[2])


def statements_and_calls(house: House, count: int) -> tuple[int, int]:
    """Collect so many new sets, and count what that takes."""
    complete_sets(house.without_expansion(), count)
    before = http_calls(house)
    with _Statements(house) as statements:
        assert house.work() == 1
    assert set(states(house)) == {intents.COLLECTED}
    counted = len(statements.made), http_calls(house) - before
    # Their verdicts are out: what is looked at later is looked at for nothing else.
    house.let_time_pass(2000)
    house.work()
    return counted


def http_calls(house: House) -> int:
    return sum(not call["is_operation"] for call in house.sandbox.calls()["calls"])


def test_a_set_more_takes_no_statement_and_no_call_more(house: House) -> None:
    few = statements_and_calls(house, 3)
    many = statements_and_calls(house, 7)
    assert few[1] == many[1] == 2
    assert many[0] == few[0] < 60


def test_long_sets_share_their_calls_to_the_last_page(house: House, monkeypatch: Any) -> None:
    monkeypatch.setattr(knowledge, "MAX_PAGE_LIMIT", 4)
    ids = complete_sets(house.without_expansion(), 3, ads=10)
    before = http_calls(house)
    house.work()
    assert set(states(house)) == {intents.COLLECTED}
    assert stored(house) == {one for set_id in ids for one in requests_at_facebook(house, set_id)}
    # One look at all of them, and three pages of each.
    assert http_calls(house) - before == 4


def test_a_call_asks_for_no_more_than_one_answer_may_hold(house: House, monkeypatch: Any) -> None:
    monkeypatch.setattr(knowledge, "MAX_PAGE_LIMIT", 5)
    monkeypatch.setattr(pages, "_PAGES_A_CALL", 1)
    complete_sets(house.without_expansion(), 4, ads=2)
    before = http_calls(house)
    house.work()
    assert set(states(house)) == {intents.COLLECTED}
    assert http_calls(house) - before == 1 + 2


def test_pages_are_written_in_transactions_that_end_soon(house: House, monkeypatch: Any) -> None:
    monkeypatch.setattr(collecting, "_ROWS_A_TRANSACTION", 4)
    complete_sets(house.without_expansion(), 5, ads=2)
    written: list[int] = []
    upsert = results.upsert

    def count(session: Any, read: Sequence[Any]) -> Any:
        written.append(sum(len(one.readings) for one in read))
        return upsert(session, read)

    with mock.patch.object(results, "upsert", count):
        house.work()
    assert set(states(house)) == {intents.COLLECTED}
    assert written == [4, 4, 2]
