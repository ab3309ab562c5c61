"""The dashboard's pages: each shows what it should, to whom it should, and runs nothing foreign."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from unittest import mock

import pytest
from sqlalchemy import update

from receiver.store import progress
from receiver.store.models import Request
from receiver.web.admin import documents
from receiver.web.dashboard import words
from tests.support import dashboard_states
from tests.support.dashboard import signed_in
from tests.support.house import ACCOUNT, House, ad, add_account

HOOK = "http://127.0.0.1:9/hook"
LISTS = ["request-sets", "requests", "notifications", "looks", "deliveries", "accounts", "audit"]
EVIL = "<script>alert(1)</script>"


def written(moment: datetime) -> str:
    """A moment as pages write it."""
    return f'<time datetime="{moment.isoformat()}" title="{words.utc(moment)}">{words.utc(moment)}'


def with_everything(house: House) -> None:
    """A collected set with failures, whose caller is told, and one at work."""
    house.notify(
        house.create_open(
            [ad("one"), ad("fail")], notification_uri=HOOK, notification_mode="ON_COMPLETE"
        )
    )
    house.work()
    house.deliver()
    house.sandbox.configure_defaults(progress={"kind": "by_hand"})
    house.create_open(name="Another")


@pytest.mark.parametrize("path", ["/", *(f"/{name}" for name in LISTS)])
def test_a_page_teaches_the_next_step_while_there_is_nothing(house: House, path: str) -> None:
    page = signed_in(house).get(path)

    assert page.status_code == 200
    assert "<h1" in page.text


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/", ["missing", "doubled", "A set", "act_71597454", "code"]),
        ("/request-sets", ["A set", "Another", "collected", "open", "Plan it"]),
        ("/request-sets/1", ["Every result is here", "What failed", "Send failures again"]),
        ("/request-sets/2", ["Facebook has it and works on it", "Cancel", "Look now"]),
        ("/requests", ["SUCCESS", "Facebook's words"]),
        ("/notifications", ["POST"]),
        ("/notifications/1", ["Body", "Headers", "Download"]),
        ("/looks", ["complete"]),
        ("/deliveries", [HOOK, "pending"]),
        ("/deliveries/1", ["Attempts"]),
        ("/accounts", ["points used"]),
    ],
)
def test_a_page_shows_what_there_is(house: House, path: str, words: list[str]) -> None:
    with_everything(house)

    page = signed_in(house).get(path)

    assert page.status_code == 200, page.text
    lowered = page.text.lower()
    assert [word for word in words if word.lower() not in lowered] == []


def test_a_set_that_was_refused_is_not_said_to_be_complete_some_day(house: House) -> None:
    dashboard_states.rejected(house)

    page = signed_in(house).get("/request-sets").text

    assert "<td>never</td>" in page
    assert "not yet" not in page


def test_a_list_is_narrowed_by_its_url_and_shows_by_what(house: House) -> None:
    with_everything(house)

    page = signed_in(house).get("/request-sets", state="open", name="", since="2020-01-01T10:00")

    assert "Another" in page.text
    assert ">A set<" not in page.text
    assert '<option value="open" selected>' in page.text
    assert 'value="2020-01-01T10:00"' in page.text


def test_a_form_shows_several_values_at_once_and_sends_them_again(house: House) -> None:
    with_everything(house)

    for query in ("state=open,collected", "state=open&state=collected"):
        page = signed_in(house).get(f"/request-sets?{query}").text
        assert '<option value="open,collected" selected>' in page
        assert (">A set<" in page, "Another" in page) == (True, True)


def test_the_next_page_keeps_the_filters(house: House) -> None:
    for number in range(3):
        house.create_open(name=f"Set {number}")

    first = signed_in(house).get("/request-sets", limit="2", name="set").text
    following = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    second = signed_in(house).get(following.removeprefix("/admin")).text

    assert "name=set" in following
    assert ("Set 2" in first, "Set 0" in first) == (True, False)
    assert ("Set 2" in second, "Set 0" in second) == (False, True)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/request-sets", {"state": "happy"}, 400),
        ("/request-sets", {"colour": "red"}, 400),
        ("/request-sets", {"cursor": "tampered"}, 400),
        ("/requests", {"error_code": "x"}, 400),
        ("/", {"account": "act_5"}, 404),
        ("/", {"account": f"{ACCOUNT},5"}, 404),
        ("/", {"account": "x"}, 400),
        ("/accounts", {"account": "act_5"}, 404),
        ("/request-sets/99", {}, 404),
        ("/request-sets/x", {}, 404),
        ("/notifications/99", {}, 404),
        ("/deliveries/9", {}, 404),
        ("/plans/aaaaaaaaaaaa", {}, 404),
        ("/nothing", {}, 404),
    ],
    ids=str,
)
def test_what_cannot_be_shown_is_said_on_a_page(
    house: House, path: str, query: dict[str, Any], status: int
) -> None:
    page = signed_in(house).get(path, **query)

    assert (page.status_code, page.mimetype) == (status, "text/html")
    assert 'role="alert"' in page.text
    assert f"As of {written(house.clock())}" in page.text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("path", ["/", "/request-sets", "/nothing", "/api"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_what_no_button_does_is_said_on_a_page(house: House, path: str, method: str) -> None:
    page = signed_in(house).send(method, path)

    assert (page.status_code, page.mimetype) == (404, "text/html")
    assert f"There is no {method} /admin" in page.text
    assert "Access-Control-Allow-Origin" not in page.headers


def test_what_strangers_send_is_shown_and_not_run(house: House) -> None:
    set_id = house.create_open(name=EVIL)
    house.notify(set_id, data=f"{EVIL}\x00\x1b[2J".encode(), headers={"X-Evil": EVIL})
    house.work()
    somebody = signed_in(house)

    pages = [
        somebody.get(path).text
        for path in ("/", "/request-sets", "/request-sets/1", "/notifications", "/notifications/1")
    ]

    assert [EVIL in page for page in pages] == [False] * 5
    assert all("&lt;script&gt;" in page for page in pages)
    raw = somebody.get("/notifications/1/raw")
    assert raw.headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize("path", ["/", "/request-sets", "/request-sets/1", "/sign-in"])
def test_a_page_runs_and_loads_only_what_is_the_receivers(house: House, path: str) -> None:
    with_everything(house)

    page = signed_in(house).get(path) if path != "/sign-in" else house.client.get("/admin/sign-in")

    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["X-Frame-Options"] == "DENY"
    text = page.text.replace("http://127.0.0.1:9/hook", "").replace("http://localhost/v21.0", "")
    assert "http:" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "https:" not in text
    for forbidden in (" style=", "onclick", "<style", "javascript:"):
        assert forbidden not in text


@pytest.mark.parametrize("path", ["/request-sets/1", "/notifications/1", "/deliveries/1"])
def test_nobody_sees_what_is_not_theirs(house: House, path: str) -> None:
    with_everything(house)
    house.key = add_account(house.parts, 5)
    somebody = signed_in(house)

    assert somebody.get(path).status_code == 404
    overview = somebody.get("/").text
    assert "Another" not in overview
    assert str(ACCOUNT) not in overview.replace(f"key of {ACCOUNT}", "")


def test_who_may_only_read_sees_no_button_and_does_nothing(house: House) -> None:
    with_everything(house)
    house.make_key_read_only()
    somebody = signed_in(house)

    for path in ("/request-sets", "/request-sets/1", "/request-sets/2", "/accounts"):
        text = somebody.get(path).text
        assert "/actions/" not in text
        assert "Plan it" not in text
    refused = somebody.post("/request-sets/2/actions/cancel")
    assert refused.status_code == 403
    assert somebody.post("/plans", action="cancel").status_code == 403


def test_failures_without_a_code_are_told_of_and_can_be_sent_again(house: House) -> None:
    with_everything(house)
    with house.parts.database.writing() as session:
        session.execute(update(Request).values(error_code=None))
    somebody = signed_in(house)

    page = somebody.get("/request-sets/1").text

    assert "Send failures again" in page
    failures = page.split("What failed")[1].split("What is known")[0]
    assert "1 request, no error code" in failures
    assert "answer names no code" in failures
    assert "..</strong>" not in page
    link = failures.split('href="')[1].split('"')[0].replace("&amp;", "&")
    assert link == "/admin/requests?request_set=1&status=error"
    assert "ERROR" in somebody.get(link.removeprefix("/admin")).text


def test_a_sets_page_does_not_read_every_request_that_failed(house: House) -> None:
    with_everything(house)

    with mock.patch.object(progress, "failed_requests") as read:
        signed_in(house).get("/request-sets/1")

    assert not read.called


def test_an_errors_advice_stands_beside_it(house: House) -> None:
    with_everything(house)
    (failed,) = (row for row in house.rows(Request) if row.error_code is not None)

    page = signed_in(house).get("/requests", status="error").text

    assert str(failed.error_code) in page
    assert "change the ads" in page


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_page_that_cannot_be_made_is_our_fault_and_not_the_readers(house: House) -> None:
    house.create_open()
    with mock.patch.object(documents, "set_row", side_effect=lambda row, now: {"id": None}):  # noqa: ARG005  # the signature is the real one's
        page = signed_in(house).get("/request-sets")

    assert page.status_code == 500
    assert "An unforeseen error" in page.text
