"""What a page is asked with stands on it, is kept by its form and links, and can be taken away."""

from __future__ import annotations

import re
from typing import Any

import pytest

from receiver.web.admin.parameters import (
    AuditQuery,
    DeliveriesQuery,
    LooksQuery,
    NotificationsQuery,
    PageQuery,
    RequestsQuery,
    SetsQuery,
)
from receiver.web.dashboard import words
from tests.support.dashboard import signed_in
from tests.support.house import ACCOUNT, House

LISTS: dict[str, type[PageQuery]] = {
    "/request-sets": SetsQuery,
    "/requests": RequestsQuery,
    "/notifications": NotificationsQuery,
    "/looks": LooksQuery,
    "/deliveries": DeliveriesQuery,
    "/audit": AuditQuery,
}
VALUES = {
    "account": str(ACCOUNT),
    "since": "2026-01-01T10:00",
    "until": "2030-01-01T10:00",
    "completed_since": "2026-01-01T10:00",
    "completed_until": "2030-01-01T10:00",
    "verdict": "delivered",
    "learned_by": "poll",
    "with_errors": "true",
    "late": "true",
    "name": "2026-01-31T12:00",
    "action": "look",
    "status": "error",
    "why": "poll",
}
KINDS = {"/request-sets": "asyncadrequestsets", "/looks": "sweep"}
STATES = {"/request-sets": "open", "/deliveries": "pending"}
FILTERS = [
    (path, name)
    for path, query in LISTS.items()
    for name in query.model_fields
    if name not in ("cursor", "limit", "count")
]


def value_of(path: str, name: str) -> str:
    """A value that a filter may have."""
    if name == "sort":
        return str(LISTS[path].model_fields["sort"].default).removeprefix("-")
    if name in ("kind", "state"):
        return {"kind": KINDS, "state": STATES}[name][path]
    return VALUES.get(name, "1")


def form_of(page: str) -> dict[str, str]:
    """What the form of a list would send."""
    form = page.split('role="search"')[1].split("</form>", maxsplit=1)[0]
    inputs = dict(re.findall(r'<input[^>]* name="(\w+)"[^>]*?\bvalue="([^"]*)"', form))
    for select in re.findall(r"<select.*?</select>", form, re.DOTALL):
        (name,) = re.findall(r'name="(\w+)"', select)
        (chosen,) = re.findall(r'value="([^"]*)" selected', select) or [""]
        inputs[name] = chosen
    return {name: value for name, value in inputs.items() if value}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("path", "name"), FILTERS)
def test_every_filter_of_a_list_is_shown_kept_and_can_be_taken_away(
    house: House, path: str, name: str
) -> None:
    value = value_of(path, name)
    somebody = signed_in(house)

    page = somebody.get(path, **{name: value}).text

    assert form_of(page) == {name: value}
    chips = re.findall(r'<a class="[^"]*" href="([^"]*)">([^<]*)<span', page)
    has_field = f'id="filter-{name}"' in page
    assert chips == (
        [] if has_field else [(f"/admin{path}", f"{words.FILTERS.get(name, name)}: {value} ")]
    )
    assert has_field or name in words.FILTERS


def test_a_filter_that_is_taken_away_leaves_the_others(house: House) -> None:
    page = signed_in(house).get("/request-sets", parent="1", learned_by="poll", state="open").text

    assert 'href="/admin/request-sets?learned_by=poll&amp;state=open">Sends again' in page
    assert form_of(page) == {"parent": "1", "learned_by": "poll", "state": "open"}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("2026-01-01T10:00", "2026-01-01T10:00"),
        ("2026-01-01T10:00:00Z", "2026-01-01T10:00:00"),
        ("2026-01-01T10:00:00+02:00", "2026-01-01T08:00:00"),
        ("2026-01-01T10:00:00.250Z", "2026-01-01T10:00:00.250"),
    ],
)
def test_a_moment_is_shown_as_its_field_can_hold_it(house: House, given: str, shown: str) -> None:
    somebody = signed_in(house)

    page = somebody.get("/request-sets", since=given)

    assert form_of(page.text) == {"since": shown}
    assert somebody.get("/request-sets", since=shown).status_code == 200


def test_a_name_that_looks_like_a_moment_is_a_name(house: House) -> None:
    house.create_open(name="Run 2026-01-31T12:00")

    assert "Run 2026" in signed_in(house).get("/request-sets", name="2026-01-31T12:00").text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("sort", ["completed_at", "-completed_at"])
def test_an_order_in_which_no_set_has_a_place_does_not_deny_that_there_are_sets(
    house: House, sort: str
) -> None:
    house.create_open()

    page = signed_in(house).get("/request-sets", sort=sort).text

    assert "No set meets these filters" in page
    assert "There is no request set yet" not in page


@pytest.mark.parametrize(
    "more", [{}, {"completed_since": "2020-01-01T10:00"}, {"name": "one"}], ids=str
)
def test_what_is_done_to_a_list_in_the_order_of_completion_is_done_to_what_it_shows(
    house: House, more: dict[str, Any]
) -> None:
    house.notify(house.create_open(name="Complete one"))
    house.work()
    house.sandbox.configure_defaults(progress={"kind": "by_hand"})
    house.create_open(name="Open one")
    somebody = signed_in(house)

    page = somebody.get("/request-sets", sort="-completed_at", **more).text
    (plan_url,) = re.findall(r'action="/admin(/plans[^"]*)"', page)
    made = somebody.post(plan_url.replace("&amp;", "&"), action="collect")
    plan = somebody.get(made.location.removeprefix("/admin")).text
    (file_url,) = re.findall(r'href="/admin(/exports[^"]*csv)"', page)
    lines = somebody.get(file_url.replace("&amp;", "&")).text.splitlines()

    assert "Open one" not in page
    assert "every complete set that meets these filters" in page
    assert "Collect again: 1 set" in plan
    assert "Left out" not in plan
    assert len(lines) == 2
