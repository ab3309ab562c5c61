"""Every page that has a look of its own, in every look: axe-core finds nothing, nor does a browser.

axe-core checks contrast, names, roles, order and landmarks; a browser complains in its console of
what the Content-Security-Policy keeps from running.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.support.accessibility import broken_rules
from tests.support.browser import PHONE, Site, Visitor, site
from tests.support.dashboard_states import LOOKS, everything
from tests.support.databases import fresh_database_url
from tests.support.house import open_house

pytestmark = pytest.mark.drill

MODES: dict[str, dict[str, Any]] = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": PHONE},
}
EXPECTED = {"/nothing": 404, "/request-sets?state=happy": 400}
"""What a page is answered with; every other one with 200."""
EMPTY = ("/", "/request-sets", "/requests", "/notifications", "/looks", "/deliveries", "/audit")


@dataclass(frozen=True)
class Full:
    """A receiver in which everything stands, and the path of each page by its name."""

    site: Site
    paths: dict[str, str]


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Full]:
    with (
        fresh_database_url("sqlite", tmp_path_factory.mktemp("full")) as url,
        open_house(url) as house,
    ):
        paths = everything(house)
        with site(house, browser, refresh_ms=60_000) as opened:
            yield Full(opened, paths)


@pytest.fixture
def empty(tmp_path: Path, browser: Browser) -> Iterator[Site]:
    with (
        fresh_database_url("sqlite", tmp_path) as url,
        open_house(url) as house,
        site(house, browser, refresh_ms=60_000) as opened,
    ):
        yield opened


def without_theme(visitor: Visitor) -> Visitor:
    """Take from a page what says light or dark, as if no script ran: axe-core itself needs one."""

    def answer(route: Route) -> None:
        route.fulfill(body="", content_type="text/javascript")

    visitor.context.route("**/theme.js", answer)
    return visitor


def problems_of(visitor: Visitor, path: str) -> list[str]:
    """What axe-core finds on a page, and whether it has to be scrolled to the side."""
    with visitor.page.expect_response(lambda response: response.url.endswith(path)) as answered:
        page = visitor.open(path)
    assert answered.value.status == EXPECTED.get(path, 200)
    is_wide = page.evaluate("document.scrollingElement.scrollWidth > innerWidth")
    return [*broken_rules(page), *(["It is wider than its window."] if is_wide else [])]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("look", LOOKS)
def test_a_page_is_for_everybody(full: Full, look: str, mode: str) -> None:
    visitor = full.site.member(**MODES[mode])

    assert problems_of(visitor, full.paths[look]) == []

    visitor.context.close()


@pytest.mark.parametrize("look", LOOKS)
def test_a_page_is_for_everybody_in_a_darkness_that_no_script_made(full: Full, look: str) -> None:
    visitor = without_theme(full.site.member(color_scheme="dark"))

    assert problems_of(visitor, full.paths[look]) == []

    visitor.context.close()


@pytest.mark.parametrize("mode", MODES)
def test_the_form_is_for_everybody_with_a_problem_too(empty: Site, mode: str) -> None:
    somebody = empty.visitor(**MODES[mode])
    assert problems_of(somebody, "/sign-in") == []

    somebody.page.get_by_label("Key").fill("rcv_wrong")
    somebody.press_button("Sign in")
    expect(somebody.page.get_by_role("alert")).to_be_visible()

    assert broken_rules(somebody.page) == []


@pytest.mark.parametrize("mode", MODES)
def test_a_page_is_for_everybody_while_there_is_nothing(empty: Site, mode: str) -> None:
    somebody = empty.member(**MODES[mode])

    assert {path: problems_of(somebody, path) for path in EMPTY} == {path: [] for path in EMPTY}


def test_the_description_of_the_api_is_shown_and_tried_under_the_policy(empty: Site) -> None:
    empty.house.create_open()
    page = empty.visitor().open("/api/docs")

    page.get_by_role("button", name="Authorize").first.click()
    page.get_by_label("Value").fill(empty.house.key)
    page.get_by_role("button", name="Apply credentials").click()
    page.get_by_role("button", name="Close", exact=True).click()
    operation = page.locator("#operations-Lists-list_request_sets")
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()

    expect(
        operation.locator(".live-responses-table td.response-col_status:not(.col_header)")
    ).to_contain_text("200")
