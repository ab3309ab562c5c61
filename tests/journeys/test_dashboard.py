"""People at the dashboard, each with a real browser: what they see, do, and are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Dialog, Locator, Page, expect

from receiver.store.models import RequestSet
from receiver.web.dashboard import words
from tests.support import dashboard_states as states
from tests.support.accessibility import broken_rules
from tests.support.browser import PHONE, Site, Visitor, site
from tests.support.databases import fresh_database_url
from tests.support.house import ad, open_house

HALF_A_DAY = 12 * 3600
EVIL = (
    b"<script>window.isRun = 1; alert(1)</script><img src=x onerror='window.isRun = 1'>"
    b"</code></pre><h1>Injected</h1>\x00\x1b[2J\xff"
)


@pytest.fixture
def dashboard(tmp_path: Path, browser: Browser) -> Iterator[Site]:
    """A receiver with people at it; at the end, no browser may have complained."""
    with (
        fresh_database_url("sqlite", tmp_path) as url,
        open_house(url) as house,
        site(house, browser) as opened,
    ):
        yield opened


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without JavaScript"])
def script(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What a browser is told of JavaScript."""
    return {"java_script_enabled": request.param}


def expect_sets(page: Page, names: list[str]) -> None:
    """Wait until the list of request sets shows these, in this order."""
    expect(page.locator("#rows tbody td:nth-child(2)")).to_have_text(names)


def answer_dialogs(page: Page, answers: list[bool]) -> list[str]:
    """Accept or dismiss one dialog after the other; what they ask stands in the list."""
    asked: list[str] = []

    def decide(dialog: Dialog) -> None:
        asked.append(dialog.message)
        if answers.pop(0):
            dialog.accept()
        else:
            dialog.dismiss()

    page.on("dialog", decide)
    return asked


def fits(page: Page) -> bool:
    """Whether the page needs no scrolling to the side."""
    is_fitting: bool = page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    return is_fitting


def widths_of(page: Page, selector: str) -> list[float]:
    """How wide, in pixels, what a selector finds is."""
    widths: list[float] = page.locator(selector).evaluate_all(
        "found => found.map(one => one.getBoundingClientRect().width)"
    )
    return widths


def sign_in(visitor: Visitor, key: str) -> None:
    visitor.page.get_by_label("Key").fill(key)
    visitor.press_button("Sign in")


def test_somebody_signs_in_with_a_wrong_key_first_and_then_with_the_right_one(
    dashboard: Site,
) -> None:
    somebody = dashboard.visitor()
    page = somebody.open("/")

    sign_in(somebody, "rcv_wrong")
    expect(page.get_by_role("alert")).to_contain_text("This is no key of the receiver")
    expect(page.get_by_label("Key")).to_have_value("")
    sign_in(somebody, dashboard.house.key)

    expect(page.locator("h1")).to_have_text("Nothing is missing, nothing is doubled")
    somebody.press_button("Sign out")
    expect(page.get_by_label("Key")).to_be_visible()
    somebody.open("/")
    assert "/admin/sign-in" in page.url


def test_an_open_page_whose_session_ended_leads_to_the_form_and_back(dashboard: Site) -> None:
    somebody = dashboard.member()
    dashboard.house.create_open()
    page = somebody.open("/request-sets?name=set&state=open")
    begun_at = page.url

    dashboard.house.clock.move(HALF_A_DAY + 1)
    page.wait_for_url("**/admin/sign-in?next=**")
    sign_in(somebody, dashboard.house.key)

    page.wait_for_url(begun_at)
    expect_sets(page, ["A set"])


def test_a_set_is_followed_to_its_end_without_reloading(dashboard: Site) -> None:
    house, somebody = dashboard.house, dashboard.member()
    number = states.at_work(house, ads=4, done=1)
    page = somebody.open(f"/request-sets/{number}")
    page.evaluate("window.isStillThisPage = true")
    standing = page.locator("#standing")
    expect(standing).to_contain_text("open")
    expect(standing).to_contain_text("1 made of 4")
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()

    set_id = str(house.rows(RequestSet)[0].facebook_id)
    house.sandbox.advance(set_id, requests=2)
    states.look_now(house, number)
    expect(standing).to_contain_text("3 made of 4")
    house.sandbox.complete(set_id)
    house.notify(set_id)
    house.work()

    expect(standing).to_contain_text("collected")
    expect(page.locator("#requests tbody tr")).to_have_count(4)
    expect(page.locator("#events")).to_contain_text("notified")
    expect(page.get_by_role("button", name="Collect again")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    assert page.evaluate("window.isStillThisPage")


def test_a_list_that_is_empty_fills_by_itself(dashboard: Site) -> None:
    page = dashboard.member().open("/request-sets")
    expect(page.locator("#nothing")).to_contain_text("There is no request set yet")

    dashboard.house.create_open(name="The first")

    expect_sets(page, ["The first"])


def test_what_is_filtered_stands_in_the_url_and_is_shared_by_it(dashboard: Site) -> None:
    house = dashboard.house
    for name in ("Spring sale 1", "Spring sale 2", "Spring sale 3", "Autumn"):
        house.notify(house.create_open([ad("one"), ad("fail")], name=name))
    house.notify(house.create_open(name="Spring, all well"))
    house.work()
    page = dashboard.member().open("/request-sets?limit=2")

    page.goto("/admin/request-sets")
    page.get_by_label("State").select_option("collected")
    page.get_by_label("Name holds").fill("spring")
    page.get_by_label("Errors").select_option("with errors")
    page.get_by_role("button", name="Filter").click()

    found = ["Spring sale 3", "Spring sale 2", "Spring sale 1"]
    expect_sets(page, found)
    assert "state=collected" in page.url
    assert "name=spring" in page.url
    colleague = dashboard.member().page
    colleague.goto(page.url)
    expect_sets(colleague, found)
    expect(colleague.get_by_label("Errors")).to_have_value("true")

    colleague.goto(f"{page.url}&limit=2")
    colleague.get_by_role("link", name="Next page").click()
    expect_sets(colleague, found[2:])
    expect(colleague.get_by_label("Name holds")).to_have_value("spring")


def test_sets_that_come_while_a_list_is_open_are_missed_on_neither_page(dashboard: Site) -> None:
    house = dashboard.house
    for number in range(6):
        house.create_open(name=f"Set {number}")
    page = dashboard.member().open("/request-sets?limit=3")
    expect_sets(page, ["Set 5", "Set 4", "Set 3"])

    for number in (6, 7):
        house.create_open(name=f"Set {number}")
    expect_sets(page, ["Set 7", "Set 6", "Set 5"])
    page.get_by_role("link", name="Next page").click()

    expect_sets(page, ["Set 4", "Set 3", "Set 2"])


def test_filters_without_a_field_are_kept_by_the_form_and_taken_away_one_by_one(
    dashboard: Site,
) -> None:
    states.collected(dashboard.house, "Spring")
    somebody = dashboard.member()
    page = somebody.open("/request-sets?learned_by=notification&completed_since=2020-01-01T10:00Z")

    page.get_by_label("Name holds").fill("spring")
    somebody.press_button("Filter")
    page.wait_for_url("**name=spring*")
    page.get_by_role("link", name="Complete since (UTC): 2020-01-01T10:00Z").click()
    page.wait_for_url(lambda url: "completed_since" not in url)

    expect_sets(page, ["Spring"])
    expect(page.get_by_role("link", name="Learned by: notification")).to_be_visible()
    expect(page.get_by_label("Name holds")).to_have_value("spring")


def test_a_moment_of_a_shared_link_stands_in_its_field_and_is_kept(dashboard: Site) -> None:
    dashboard.house.create_open()
    somebody = dashboard.member()
    page = somebody.open("/request-sets?since=2020-01-01T10:00:30%2B02:00")
    since = page.get_by_label("Made since (UTC)")
    expect(since).to_have_value("2020-01-01T08:00:30")

    page.get_by_label("Name holds").fill("a set")
    somebody.press_button("Filter")

    page.wait_for_url("**name=a*")
    expect(since).to_have_value("2020-01-01T08:00:30")
    expect_sets(page, ["A set"])


def test_a_file_that_is_asked_for_after_the_session_ended_comes_once_signed_in_again(
    dashboard: Site,
) -> None:
    dashboard.house.create_open()
    somebody = dashboard.visitor(java_script_enabled=False)
    page = somebody.open("/request-sets")
    sign_in(somebody, dashboard.house.key)
    dashboard.house.clock.move(HALF_A_DAY + 1)

    page.get_by_role("link", name="CSV").click()
    expect(page.get_by_label("Key")).to_be_visible()
    with page.expect_download() as download:
        sign_in(somebody, dashboard.house.key)

    assert download.value.suggested_filename == "request-sets.csv"
    assert Path(download.value.path()).read_text("utf-8-sig").startswith("id,")


def test_failures_are_sent_again_once_the_question_is_answered_with_yes(dashboard: Site) -> None:
    states.collected(dashboard.house)
    page = dashboard.member().open("/request-sets/1")
    asked = answer_dialogs(page, [False, True])
    again = page.get_by_role("button", name="Send failures again")

    again.click()
    assert len(dashboard.house.rows(RequestSet)) == 1
    again.click()

    page.wait_for_url("**/request-sets/2")
    assert asked[0].startswith("Send failures again? Sends only the failed requests again")
    expect(page.get_by_role("status")).to_contain_text("are sent again as set 2")
    page.locator("dd", has=page.get_by_role("link", name="1")).get_by_role("link").click()
    page.wait_for_url("**/request-sets/1")
    expect(page.locator("#facts")).to_contain_text("Sent again in")


def test_an_open_set_is_canceled(dashboard: Site) -> None:
    number = states.at_work(dashboard.house, ads=4, done=1)
    page = dashboard.member().open(f"/request-sets/{number}")
    answer_dialogs(page, [True])

    page.get_by_role("button", name="Cancel").click()

    expect(page.get_by_role("status")).to_contain_text("is canceled")
    states.look_now(dashboard.house, number)
    expect(page.locator("#standing")).to_contain_text("1 made, 2 canceled of 4")


def test_an_account_that_has_to_wait_gets_its_button_by_itself_and_is_asked_again(
    dashboard: Site,
) -> None:
    page = dashboard.member().open("/accounts")
    answer_dialogs(page, [True])
    again = page.get_by_role("button", name="Ask again")
    expect(again).to_have_count(0)

    states.parked(dashboard.house)
    again.click()

    expect(page.get_by_role("status")).to_contain_text("asked again")
    expect(again).to_have_count(0)


def test_an_action_on_many_sets_is_planned_seen_and_confirmed(dashboard: Site) -> None:
    for name in ("Spring 1", "Spring 2", "Autumn"):
        states.at_work(dashboard.house, name)
    somebody = dashboard.member()
    page = somebody.open("/request-sets?name=spring")

    page.get_by_label("Action").select_option("Cancel")
    somebody.press_button("Plan it")
    expect(page.get_by_role("status")).to_contain_text("touches 2 sets, costs 6 points")
    expect(page.locator("main")).to_contain_text("Chosen by: name=spring")
    somebody.press_button("Do it to 2 sets")
    expect(page.locator("#standing")).to_contain_text("Confirmed")
    states.carry_out(dashboard.house)

    expect(page.locator("#standing")).to_contain_text("done 2")
    expect(page.locator("#rows")).to_contain_text("What was not processed yet of set 1 is canceled")


def test_an_error_is_explained_beside_what_to_do(dashboard: Site) -> None:
    states.collected(dashboard.house)
    page = dashboard.member().open("/request-sets/1")

    expect(page.locator("#facts")).to_contain_text("change the ads")
    page.locator("#facts").get_by_role("link", name="code 100", exact=False).first.click()
    expect(page.locator("tbody")).to_contain_text("A parameter is wrong")
    page.get_by_text("Facebook's words").first.click()
    expect(page.locator("details[open]").first).to_contain_text("Invalid parameter")


def test_what_a_stranger_sent_is_shown_run_by_nobody_and_downloaded_exactly(
    dashboard: Site,
) -> None:
    house = dashboard.house
    house.notify(house.create_open(name="<script>window.isRun = 1</script>"), data=EVIL)
    page = dashboard.member().page
    asked = answer_dialogs(page, [])

    for path in ("/", "/request-sets", "/request-sets/1", "/notifications", "/notifications/1"):
        page.goto(f"/admin{path}")
        assert page.evaluate("window.isRun") is None
        assert page.get_by_role("heading", name="Injected").count() == 0
    expect(page.get_by_label("Body")).to_contain_text("<script>window.isRun = 1")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download it byte by byte").click()

    assert Path(download.value.path()).read_bytes() == EVIL
    assert asked == []


def test_everything_works_without_javascript(dashboard: Site) -> None:
    states.collected(dashboard.house, "Spring")
    somebody = dashboard.visitor(java_script_enabled=False)
    page = somebody.open("/request-sets")
    sign_in(somebody, dashboard.house.key)

    page.get_by_label("State").select_option("collected")
    somebody.press_button("Filter")
    expect_sets(page, ["Spring"])
    page.get_by_label("Action").select_option("Collect again")
    somebody.press_button("Plan it")
    somebody.press_button("Do it to 1 set")
    states.carry_out(dashboard.house)
    dashboard.house.work()
    page.reload()
    expect(page.locator("#standing")).to_contain_text("done 1")

    page.locator("#rows").get_by_role("link", name="1").click()
    expect(page.locator("#events time").first).to_contain_text("UTC")
    somebody.press_button("Send failures again")
    page.wait_for_url("**/request-sets/2")


def focus_by_tab(page: Page, wanted: Locator) -> None:
    """Press Tab until an element has the focus, and see that each on the way shows that it has."""
    for _ in range(60):
        page.keyboard.press("Tab")
        style = "getComputedStyle(document.activeElement)"
        assert page.evaluate(f"parseFloat({style}.outlineWidth)") >= 2
        assert page.evaluate(f"{style}.outlineStyle") == "solid"
        if wanted.evaluate("element => element === document.activeElement"):
            return
    pytest.fail(f"The Tab key does not lead to {wanted}")


def test_the_keyboard_alone_reaches_menu_filters_and_actions(dashboard: Site) -> None:
    states.at_work(dashboard.house)
    page = dashboard.member().open("/")

    focus_by_tab(page, page.get_by_role("link", name="Skip to the content"))
    expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    focus_by_tab(page, page.get_by_role("link", name="Request sets", exact=True))
    page.keyboard.press("Enter")
    page.wait_for_url("**/request-sets")
    focus_by_tab(page, page.get_by_role("link", name="Skip to the content"))
    page.keyboard.press("Enter")
    focus_by_tab(page, page.get_by_label("State"))
    page.keyboard.type("open")
    focus_by_tab(page, page.get_by_role("button", name="Filter"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/request-sets?state=open*")
    focus_by_tab(page, page.get_by_label("Action"))
    page.keyboard.type("Look now")
    focus_by_tab(page, page.get_by_role("button", name="Plan it"))
    page.keyboard.press("Enter")

    page.wait_for_url("**/plans/*")
    expect(page.locator("h1")).to_have_text("Look now: 1 set")


def test_a_phone_needs_no_scrolling_to_the_side_and_opens_the_menu(
    dashboard: Site, script: dict[str, Any]
) -> None:
    states.collected(dashboard.house, f"A name without a space: {'x' * 200}")
    page = dashboard.member(viewport=PHONE, **script).page

    for path in ("/", "/request-sets", "/request-sets/1", "/requests", "/notifications/1"):
        page.goto(f"/admin{path}")
        assert fits(page), path
        assert all(width > 100 for width in widths_of(page, "td.text-break")), path
    accounts = page.get_by_role("link", name="Accounts")
    expect(accounts).to_be_hidden()
    page.get_by_text("Menu", exact=True).click()
    accounts.click()

    expect(page.locator("h1")).to_have_text("Accounts")


def test_a_person_who_prefers_the_dark_gets_it(dashboard: Site, script: dict[str, Any]) -> None:
    page = dashboard.member(color_scheme="dark", **script).open("/")

    background, text = (
        page.evaluate(f"getComputedStyle(document.body).{name}.match(/[0-9]+/g).map(Number)")
        for name in ("backgroundColor", "color")
    )

    assert max(background) < 60
    assert min(text) > 200


def test_times_are_shown_in_the_readers_zone_and_in_utc_on_hover(dashboard: Site) -> None:
    dashboard.house.create_open()
    page = dashboard.member(timezone_id="Asia/Kathmandu").open("/request-sets")

    made = page.locator("#rows time").first

    made_at = dashboard.house.the_set().created_at
    expect(made).to_have_attribute("title", words.utc(made_at))
    expect(made).to_contain_text(f"{made_at.astimezone(ZoneInfo('Asia/Kathmandu')):%H:%M:%S}")
    as_of = page.locator("footer time")
    shown = as_of.get_attribute("title")
    dashboard.house.clock.move(3600)
    expect(as_of).not_to_have_attribute("title", str(shown))


def test_of_two_people_who_do_the_same_the_second_is_told_why_not(dashboard: Site) -> None:
    states.collected(dashboard.house)
    first = dashboard.member(java_script_enabled=False)
    second = dashboard.member(java_script_enabled=False)
    for visitor in (first, second):
        visitor.open("/request-sets/1")

    first.press_button("Send failures again")
    second.press_button("Send failures again")

    assert "/request-sets/2" in first.page.url
    expect(second.page.locator("h1")).to_have_text("Conflict")
    expect(second.page.get_by_role("alert")).to_contain_text("are being sent again already")
    assert len(dashboard.house.rows(RequestSet)) == 2


@pytest.mark.parametrize(
    "show",
    [
        lambda dashboard: dashboard.visitor().open("/sign-in"),
        lambda dashboard: dashboard.member().open("/"),
        lambda dashboard: dashboard.member(color_scheme="dark").open("/request-sets/1"),
    ],
    ids=["the form", "the overview", "a set in the dark"],
)
def test_who_does_not_see_or_hear_well_is_served_too(
    dashboard: Site, show: Callable[[Site], Page]
) -> None:
    states.collected(dashboard.house)

    assert broken_rules(show(dashboard)) == []
