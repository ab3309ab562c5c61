"""The overview: its numbers, narrowed to what its URL says, and where they lead."""

from __future__ import annotations

import re
from datetime import timedelta
from unittest import mock

from sqlalchemy import update

from receiver.store import integrity
from receiver.store.models import RequestSet
from tests.support.dashboard import signed_in
from tests.support.house import ACCOUNT, House


def with_missing_sets(house: House, *, sets: int) -> None:
    """Sets whose results did not come, and the first of them is stuck."""
    for number in range(sets):
        house.create_open(name=f"Set {number}")
    then = house.clock() - timedelta(hours=1)
    with house.parts.database.writing() as session:
        session.execute(update(RequestSet).values(deadline_at=then, missing_at=then))
        session.get_one(RequestSet, 1).state = "stuck"


def links_of(page: str) -> list[str]:
    """Where the numbers and the next steps lead."""
    part = page.split('id="numbers"')[1].split('id="chart"', maxsplit=1)[0]
    return [link.replace("&amp;", "&") for link in re.findall(r'href="(/admin/r[^"]*)"', part)]


def test_of_an_account_that_is_not_the_keys_nothing_is_said(house: House) -> None:
    with_missing_sets(house, sets=1)
    somebody = signed_in(house)

    for path in ("/", "/accounts"):
        page = somebody.get(path, account="act_5")
        assert page.status_code == 404
        assert "Your key has no account act_5." in page.text
        assert "Nothing is missing" not in page.text


def test_the_overview_of_one_account_says_so_and_its_links_keep_it(house: House) -> None:
    with_missing_sets(house, sets=2)
    somebody = signed_in(house)

    page = somebody.get("/", account=ACCOUNT).text

    assert "2 missing, 0 doubled" in page
    assert f"Only of account: {ACCOUNT}" in page
    links = links_of(page)
    assert f"/admin/request-sets?state=stuck&account={ACCOUNT}" in links
    assert [link for link in links if f"account={ACCOUNT}" not in link] == []
    assert f'href="/admin/request-sets?account={ACCOUNT}">All request sets' in page
    assert all("account=" not in link for link in links_of(somebody.get("/").text))
    assert f"Only of account: {ACCOUNT}" in somebody.get("/accounts", account=ACCOUNT).text


def test_a_number_that_was_not_counted_to_its_end_says_so(house: House) -> None:
    with_missing_sets(house, sets=3)

    with mock.patch.object(integrity, "COUNTED_MOST", 2):
        page = signed_in(house).get("/").text

    assert '<h1 class="h3 mb-3">2+ missing, 0 doubled</h1>' in page
    assert "2+ sets missing." in page
    assert re.search(r'late=true">2\+</a>', page)
