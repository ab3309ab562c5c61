from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any, cast
from urllib.parse import parse_qs

import pytest
from sqlalchemy import update

from receiver.crypto import CannotOpen
from receiver.graph.client import Created
from receiver.graph.usage import NO_USAGE
from receiver.lifecycle.submit import OutcomeUnknown, Rejected, Submitted, submit
from receiver.lifecycle.tools import Tools
from receiver.store import intents
from receiver.store.database import Database, DatabaseAway
from receiver.store.intents import Attempt, NewIntent
from receiver.store.models import Account, Credential, FoundSet, RequestSet, Submission
from tests.support.databases import locked
from tests.support.facebook import client_of, facebook_shows
from tests.support.house import ACCOUNT, PUBLIC_URL, House, ad, add_account, open_house
from tests.support.lying_server import Peer, http_answer, lying_server

CREATE = {"method": "POST", "path": "/asyncadrequestsets$"}

INTENT = NewIntent(
    account_id=ACCOUNT,
    api_key_id=None,
    name="A set",
    ad_specs=json.dumps([ad("one"), ad("two")]).encode(),
    spec_count=2,
    notification_uri=None,
    notification_mode="OFF",
)


@pytest.fixture
def impatient(database_url: str) -> Iterator[House]:
    """A receiver that gives Facebook little time."""
    with open_house(
        database_url, graph_deadline_seconds=1.5, graph_read_timeout_seconds=1
    ) as house:
        yield house


def send(house: House, tools: Tools | None = None) -> Submitted:
    return submit(tools or house.parts.tools, INTENT)


def the_submission(house: House) -> Submission:
    (row,) = house.rows(Submission)
    return row


def creates(house: House) -> int:
    return sum(call["method"] == "POST" for call in house.sandbox.calls()["calls"])


def test_a_created_set_is_open_with_facebooks_id(house: House) -> None:
    submitted = send(house)
    row, submission = house.the_set(), the_submission(house)
    assert (row.id, row.facebook_id) == (submitted.request_set_id, submitted.facebook_id)
    assert (row.state, submission.outcome) == (intents.OPEN, intents.OPEN)
    assert submission.facebook_id == submitted.facebook_id
    assert row.look_at is not None
    assert (row.look_at - house.clock()).total_seconds() == 60


def test_facebook_is_told_our_address_and_mode_and_the_tag(house: House) -> None:
    submitted = send(house)
    (entry,) = house.sandbox.ledger()
    token = house.parts.keys.token_in_uri(entry["notification_uri"])
    assert token is not None
    assert (token.intent, token.attempt) == (submitted.request_set_id, 1)
    assert entry["notification_uri"].startswith(f"{PUBLIC_URL}/notifications/")
    assert entry["notification_mode"] == "ON_COMPLETE"
    assert entry["name"].startswith("A set [rcv:")
    assert house.parts.keys.remove_tag(entry["name"]) == "A set"


@pytest.mark.parametrize(
    ("trouble", "exists"),
    [
        ({"kind": "reset"}, False),
        ({"kind": "commit_then_drop"}, True),
        ({"kind": "cut"}, True),
        ({"kind": "http_error", "status": 502}, False),
        ({"kind": "http_error", "status": 502, "effect": "before"}, True),
        ({"kind": "http_error", "status": 403}, False),
        ({"kind": "not_json"}, True),
        ({"kind": "no_id"}, True),
        ({"kind": "null"}, True),
        ({"kind": "graph_error", "code": 1, "http_status": 500}, False),
        ({"kind": "graph_error", "code": 2, "effect": "before"}, True),
        ({"kind": "error_in_200", "code": 2, "effect": "before"}, True),
        ({"kind": "graph_error", "code": 100, "http_status": 503}, False),
    ],
    ids=str,
)
def test_an_outcome_that_nobody_knows_is_unknown_and_nothing_is_repeated(
    house: House, trouble: dict[str, Any], *, exists: bool
) -> None:
    house.sandbox.trouble(**CREATE, **trouble)
    with pytest.raises(OutcomeUnknown) as caught:
        send(house)
    row, submission = house.the_set(), the_submission(house)
    assert caught.value.request_set_id == row.id
    assert (row.state, submission.outcome) == (intents.UNKNOWN, intents.UNKNOWN)
    assert row.state_reason == submission.error == caught.value.reason
    assert row.look_at is not None
    assert len(house.sandbox.ledger()) == exists
    assert creates(house) == 1


def test_an_answer_that_comes_after_the_deadline_is_unknown(impatient: House) -> None:
    impatient.sandbox.trouble("hold", effect="before", **CREATE)
    with pytest.raises(OutcomeUnknown):
        send(impatient)
    assert impatient.the_set().state == intents.UNKNOWN
    assert len(impatient.sandbox.ledger()) == 1
    assert creates(impatient) == 1


@pytest.mark.parametrize("kind", ["graph_error", "error_in_200"])
@pytest.mark.parametrize("code", [17, 100, 190, 80004])
def test_a_refusal_is_kept_as_it_came(house: House, kind: str, code: int) -> None:
    house.sandbox.trouble(kind, code=code, message="No, and that is final.", **CREATE)
    with pytest.raises(Rejected, match="No, and that is final"):
        send(house)
    row = house.the_set()
    assert (row.state, row.look_at) == (intents.REJECTED, None)
    assert row.error_http_status == (400 if kind == "graph_error" else 200)
    assert row.error_body is not None
    error = json.loads(row.error_body)["error"]
    assert (error["code"], error["message"]) == (code, "No, and that is final.")
    assert "fbtrace_id" in error
    assert the_submission(house).outcome == intents.REJECTED
    assert house.sandbox.ledger() == []


def test_a_facebook_that_does_not_listen_is_a_rejection_with_nothing_sent(
    house: House,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with (
        closing(client_of(f"http://127.0.0.1:{port}")) as client,
        pytest.raises(Rejected, match="sent"),
    ):
        send(house, replace(house.parts.tools, client=client))
    row = house.the_set()
    assert (row.state, row.error_body, row.error_http_status) == (intents.REJECTED, None, None)
    assert row.look_at is None


def test_intent_and_submission_are_committed_before_facebook_is_asked(house: House) -> None:
    house.sandbox.trouble("hold", **CREATE)
    thread = threading.Thread(target=send, args=(house,))
    thread.start()
    while not creates(house):
        time.sleep(0.005)
    row, submission = house.the_set(), the_submission(house)
    assert (row.state, submission.outcome) == (intents.SUBMITTING, intents.SUBMITTING)
    assert submission.send_before > house.clock()
    assert row.look_at is not None
    assert row.look_at > submission.send_before
    assert house.sandbox.ledger() == []
    house.sandbox.release()
    thread.join()
    assert house.the_set().state == intents.OPEN


def test_what_could_not_be_sent_in_time_is_not_sent(house: House) -> None:
    """The process stood still between writing the intent and sending it."""
    began = time.monotonic() - 3600
    late = replace(house.parts.tools, monotonic=lambda: began)
    with pytest.raises(Rejected):
        send(house, late)
    assert house.the_set().state == intents.REJECTED
    assert creates(house) == 0


@contextmanager
def impatient_tools(house: House, database_url: str) -> Iterator[Tools]:
    """Tools whose database counts as away after a fifth of a second."""
    database = Database(database_url, timeout_seconds=0.2)
    yield replace(house.parts.tools, database=database)
    database.close()


def send_while_the_database_goes_away(house: House, database_url: str) -> Submitted | Exception:
    """Take the database away while Facebook works on the create; return what the caller hears."""
    house.sandbox.trouble("hold", effect="before", **CREATE)
    with impatient_tools(house, database_url) as tools, ThreadPoolExecutor(1) as pool:
        future = pool.submit(send, house, tools)
        while not creates(house):
            time.sleep(0.005)
        with locked(database_url):
            house.sandbox.release()
            error = future.exception()
        return future.result() if error is None else cast("Exception", error)


def test_a_database_that_goes_away_meanwhile_does_not_hide_the_answer(
    house: House, database_url: str
) -> None:
    submitted = send_while_the_database_goes_away(house, database_url)
    assert isinstance(submitted, Submitted)
    assert submitted.facebook_id == int(house.sandbox.ledger()[0]["id"])
    row = house.the_set()
    assert row.state == intents.SUBMITTING
    assert row.look_at is not None


def test_a_database_that_goes_away_meanwhile_does_not_hide_a_refusal(
    house: House, database_url: str
) -> None:
    add_account(house.parts, 99, token="expired-token")
    expired = replace(INTENT, account_id=99)
    with impatient_tools(house, database_url) as tools, ThreadPoolExecutor(1) as pool:
        house.sandbox.trouble("hold", effect="before", **CREATE)
        future = pool.submit(submit, tools, expired)
        while not creates(house):
            time.sleep(0.005)
        with locked(database_url):
            house.sandbox.release()
            assert isinstance(future.exception(), Rejected)
    assert house.the_set().state == intents.SUBMITTING


def test_a_set_whose_answer_could_not_be_written_is_found_later(
    house: House, database_url: str
) -> None:
    submitted = send_while_the_database_goes_away(house, database_url)
    assert isinstance(submitted, Submitted)
    house.work()
    assert house.the_set().state == intents.SUBMITTING
    house.clock.move(75)
    house.work()
    row = house.the_set()
    assert (row.state, row.facebook_id) == (intents.COLLECTED, submitted.facebook_id)
    assert len(house.sandbox.ledger()) == 1


def test_without_a_database_nothing_is_sent(house: House, database_url: str) -> None:
    with (
        impatient_tools(house, database_url) as tools,
        locked(database_url),
        pytest.raises(DatabaseAway),
    ):
        send(house, tools)
    assert (creates(house), house.rows(RequestSet)) == (0, [])


def test_a_credential_that_does_not_open_leaves_no_intent(house: House) -> None:
    with house.parts.database.writing() as session:
        session.execute(update(Credential).values(sealed_token=b"garbage"))
    with pytest.raises(CannotOpen):
        send(house)
    assert (creates(house), house.rows(RequestSet)) == (0, [])


def test_an_error_that_nobody_foresaw_leaves_the_outcome_unknown(house: House) -> None:
    class Broken:
        def create_request_set(self, *_: object, **__: object) -> None:
            raise ZeroDivisionError("with a secret in it")

    tools = replace(house.parts.tools, client=Broken())  # type: ignore[arg-type]  # it is broken
    with pytest.raises(OutcomeUnknown, match="an unforeseen error"):
        send(house, tools)
    assert house.the_set().state == intents.UNKNOWN
    assert "secret" not in (house.the_set().state_reason or "")


def test_a_notification_that_overtakes_the_answer_is_joined(house: House) -> None:
    house.sandbox.trouble("hold", effect="before", **CREATE)
    thread = threading.Thread(target=send, args=(house,))
    thread.start()
    while not house.sandbox.ledger():
        time.sleep(0.005)
    assert house.notify().status_code == 200
    house.work()
    assert house.the_set().state == intents.SUBMITTING
    house.sandbox.release()
    thread.join()
    house.work()
    row = house.the_set()
    assert (row.state, row.verdict, row.learned_by) == (
        intents.COLLECTED,
        "delivered",
        "notification",
    )


def test_two_accounts_go_to_facebook_with_their_own_tokens(house: House) -> None:
    add_account(house.parts, 99, token="expired-token")
    other = replace(INTENT, account_id=99)
    with pytest.raises(Rejected, match="190"):
        submit(house.parts.tools, other)
    assert send(house).facebook_id


def facebook_gives(house: House, set_id: int) -> Any:
    return facebook_shows(house.parts.tools, {"id": str(set_id)})


def test_an_id_that_another_set_has_is_no_success(house: House) -> None:
    first = send(house)
    with (
        facebook_gives(house, first.facebook_id) as (tools, _),
        pytest.raises(OutcomeUnknown, match="another set has it"),
    ):
        send(house, tools)
    stuck = house.rows(RequestSet)[-1]
    assert (stuck.state, stuck.facebook_id) == (intents.STUCK, None)
    assert "another set has it" in (stuck.state_reason or "")
    assert stuck.look_at is not None


def test_a_late_answer_with_a_second_id_is_kept_and_told(house: House) -> None:
    """A search found the set while its create waited; then the answer names another one."""
    opened = threading.Event()

    class Late:
        def create_request_set(self, *_: object, **__: object) -> Created:
            with house.parts.database.writing() as session:
                attempt = Attempt(house.the_set().id, number=1)
                moment = house.clock()
                intents.open_set(session, attempt, facebook_id=7, first_look_at=moment, now=moment)
            opened.set()
            return Created(8, NO_USAGE)

    tools = replace(house.parts.tools, client=Late())  # type: ignore[arg-type]  # only creates
    with pytest.raises(OutcomeUnknown, match="second set"):
        send(house, tools)
    assert opened.is_set()
    assert (house.the_set().state, house.the_set().facebook_id) == (intents.OPEN, 7)
    assert [found.facebook_id for found in house.rows(FoundSet)] == [7, 8]


def test_a_refusal_that_asks_to_wait_makes_the_account_wait(house: House) -> None:
    send(house)
    house.sandbox.trouble("graph_error", code=17, **CREATE)
    with pytest.raises(Rejected):
        send(house)
    (account,) = house.rows(Account)
    assert account.resume_at is not None
    assert (account.resume_at - house.clock()).total_seconds() >= 300
    house.clock.move(100)
    assert house.work() == 0


def test_a_refusal_that_repeats_our_notification_url_shows_no_token(house: House) -> None:
    """Neither the caller nor the rows may see it: whoever has it can notify."""

    def repeat(peer: Peer) -> None:
        sent = parse_qs(peer.read_request().partition(b"\r\n\r\n")[2].decode())
        message = f"Bad {sent['notification_uri'][0]} of {sent['name'][0]}"
        body = json.dumps({"error": {"code": 100, "message": message}}).encode()
        peer.send(http_answer(body, status=400))

    with (
        lying_server(repeat) as server,
        closing(client_of(server.url)) as client,
        pytest.raises(Rejected) as caught,
    ):
        send(house, replace(house.parts.tools, client=client))
    row, submission = house.the_set(), the_submission(house)
    token = house.parts.keys.sign_token(intent=row.id, attempt=1)
    shown = f"{caught.value} {row.state_reason} {row.error_body!r} {submission.error}"
    assert "Bad http://receiver.test/notifications/(hidden) of A set (hidden)" in shown
    assert token not in shown
    assert "rcv:" not in shown
