"""Sessions: begun with a key, ended with it, and safe from other sites."""

from __future__ import annotations

import html

import pytest

from receiver.store import keys
from receiver.store.models import SignIn
from tests.support.dashboard import person, signed_in
from tests.support.house import House


def test_without_a_session_every_page_leads_to_the_form_and_back(house: House) -> None:
    somebody = person(house)

    asked = somebody.get("/request-sets", state="open")
    form = somebody.get(asked.location.removeprefix("/admin"))
    back = somebody.sign_in(house.key, next="/admin/request-sets?state=open")

    assert asked.status_code == 302
    assert 'name="key"' in form.text
    assert 'value="/admin/request-sets?state=open"' in form.text
    assert back.location == "/admin/request-sets?state=open"


@pytest.mark.parametrize("key", ["", "rcv_wrong", "x" * 10_000])
def test_what_is_no_key_begins_nothing(house: House, key: str) -> None:
    somebody = person(house)

    answer = somebody.sign_in(key)

    assert answer.status_code == 401
    assert somebody.get("/").status_code == 302
    assert house.rows(SignIn) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/admin/\\evil",
        "/admin//evil.example",
        "/admin//evil.example?name=x",
        "/admin/\nX-Evil: 1",
        "/admin/\r\nX-Evil: 1",
        "/admin/\t/evil.example",
        "/admin/?name=\x85",
        "/other",
        "javascript:alert(1)",
    ],
)
def test_a_link_never_leads_elsewhere_after_signing_in(house: House, target: str) -> None:
    answer = person(house).sign_in(house.key, next=target)

    assert answer.location == "/admin/"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_link_with_a_line_break_shows_the_overview_to_who_is_signed_in(house: House) -> None:
    answer = signed_in(house).client.get("/admin/sign-in?next=/admin/%0d%0aX-Evil:1")

    assert (answer.status_code, answer.location) == (302, "/admin/")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("query", ["name=a%2F%2Fb", "name=a//b", "name=%C3%BC%5C", "name=%25s%26x"])
def test_what_was_looked_for_is_found_again_after_signing_in(house: House, query: str) -> None:
    somebody = person(house)

    asked = somebody.get(f"/request-sets?{query}")
    form = somebody.get(asked.location.removeprefix("/admin")).text
    leads_to = html.unescape(form.split('name="next" value="')[1].split('"')[0])
    back = somebody.sign_in(house.key, next=leads_to)

    assert back.location == f"/admin/request-sets?{query}"


def test_a_session_ends_with_its_time(house: House) -> None:
    somebody = signed_in(house)
    assert somebody.get("/").status_code == 200

    house.clock.move(12 * 3600 + 1)

    assert somebody.get("/").status_code == 302


def test_a_session_ends_with_its_key(house: House) -> None:
    somebody = signed_in(house)
    with house.parts.database.writing() as session:
        name = keys.list_keys(session)[0].name
        keys.revoke_key(session, name, now=house.clock())

    assert somebody.get("/").status_code == 302


def test_signing_out_ends_the_session_everywhere(house: House) -> None:
    somebody = signed_in(house)
    stolen = somebody.client.get_cookie("receiver_session", path="/admin")
    assert stolen is not None

    assert somebody.post("/sign-out").status_code == 302

    assert somebody.get("/").status_code == 302
    thief = person(house)
    thief.client.set_cookie("receiver_session", stolen.value, path="/admin")
    assert thief.get("/").status_code == 302


def test_who_may_only_read_may_sign_out(house: House) -> None:
    house.make_key_read_only()
    somebody = signed_in(house)

    assert somebody.post("/sign-out").location == "/admin/sign-in"


def test_a_session_begins_anew_with_each_sign_in(house: House) -> None:
    somebody = person(house)
    somebody.get("/sign-in")
    before = somebody.client.get_cookie("receiver_session", path="/admin")
    somebody.sign_in(house.key)
    after = somebody.client.get_cookie("receiver_session", path="/admin")

    assert before is not None
    assert after is not None
    assert before.value != after.value


def test_the_cookie_is_out_of_scripts_and_other_sites(house: House) -> None:
    answer = person(house).sign_in(house.key)

    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/admin" in cookie
    assert house.key not in cookie
    # The tests' public URL is plain http: a browser would not send a secure cookie back there.
    assert "Secure" not in cookie


def test_a_form_of_another_site_changes_nothing(house: House) -> None:
    house.sandbox.configure_defaults(progress={"kind": "by_hand"})
    house.create_open()
    somebody = signed_in(house)

    for data in ({}, {"csrf_token": "made-up"}):
        answer = somebody.client.post("/admin/request-sets/1/actions/cancel", data=data)
        assert answer.status_code == 400
        assert "out of date" in answer.text


def test_signing_in_takes_the_forms_own_token_too(house: House) -> None:
    answer = house.client.application.test_client().post("/admin/sign-in", data={"key": house.key})

    assert answer.status_code == 400


def test_too_many_wrong_keys_have_to_wait_a_minute(house: House) -> None:
    somebody = person(house)
    answers = [somebody.sign_in("rcv_wrong").status_code for _ in range(11)]
    assert answers == [401] * 10 + [429]
    assert somebody.sign_in(house.key).status_code == 429

    house.clock.move(61)

    assert somebody.sign_in(house.key).status_code == 302


def test_the_apis_take_no_cookie(house: House) -> None:
    somebody = signed_in(house)

    assert somebody.get("/api/request-sets").status_code == 401
    assert somebody.client.get("/v21.0/me").status_code == 400


def test_a_cookie_signed_with_an_older_key_still_holds(house: House) -> None:
    somebody = signed_in(house)
    config = house.client.application.config
    old = somebody.client.get_cookie("receiver_session", path="/admin")
    assert old is not None

    config["SECRET_KEY_FALLBACKS"], config["SECRET_KEY"] = [config["SECRET_KEY"]], "n" * 32
    assert somebody.get("/").status_code == 200
    config["SECRET_KEY_FALLBACKS"] = []
    late = person(house)
    late.client.set_cookie("receiver_session", old.value, path="/admin")
    assert late.get("/").status_code == 302
