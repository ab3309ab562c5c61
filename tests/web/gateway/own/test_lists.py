"""The lists of an account's sets and of an object's requests: ours and others' by id."""

from __future__ import annotations

from typing import Any

import pytest

from receiver.store.models import EdgeMember
from tests.support.house import ACCOUNT, PUBLIC_URL, House, ad
from tests.support.sandbox import GraphCaller

EDGE = f"/act_{ACCOUNT}/asyncadrequestsets"


def listed(house: House, path: str = EDGE, **query: Any) -> list[str]:
    return [each["id"] for each in house.get(path, **query).get_json()["data"]]


def walk(house: House, path: str, *, link: str = "next", **query: Any) -> list[list[str]]:
    """Follow the links of pages; return the ids of each page."""
    page = house.get(path, **query).get_json()
    pages = [[each["id"] for each in page["data"]]]
    while link in page.get("paging", {}):
        page = house.get(page["paging"][link].removeprefix(PUBLIC_URL)).get_json()
        pages.append([each["id"] for each in page["data"]])
    return pages


def test_ours_and_others_stand_in_one_list_newest_first(house: House) -> None:
    first = house.create_open()
    house.sandbox.old_sets(str(ACCOUNT), count=3)
    last = house.create_open()
    found = listed(house)
    assert found == sorted(found, key=int, reverse=True)
    assert (found[0], found[-1], len(found)) == (last, first, 5)


def test_pages_show_each_once_in_both_directions(house: House) -> None:
    for _ in range(3):
        house.create_open()
        house.sandbox.old_sets(str(ACCOUNT), count=4)
    pages = walk(house, EDGE, limit=4)
    flat = [each for page in pages for each in page]
    assert len(set(flat)) == len(flat)
    assert {each["id"] for each in house.sandbox.ledger()} < set(flat)
    assert [len(page) for page in pages] == [4, 4, 4, 3]
    last = house.get(EDGE, limit=4, after=_cursor_of_last_page(house)).get_json()
    back = last["paging"]["previous"].removeprefix(PUBLIC_URL)
    assert listed(house, back) == pages[2]


def _cursor_of_last_page(house: House) -> str:
    page = house.get(EDGE, limit=12).get_json()
    cursor: str = page["paging"]["cursors"]["after"]
    return cursor


def test_a_list_shows_the_callers_own_names(house: House) -> None:
    house.create_open(name="mine")
    assert house.get(EDGE, fields="name").get_json()["data"][0]["name"] == "mine"


@pytest.mark.parametrize(("flag", "expected"), [("1", "done"), ("true", "done"), ("false", "open")])
def test_a_list_is_filtered_by_completion(house: House, flag: str, expected: str) -> None:
    sets = {"done": house.create_open()}
    house.notify()
    house.work()
    house.sandbox.configure_defaults(progress={"kind": "by_hand"})
    sets["open"] = house.create_open()
    assert listed(house, is_completed=flag) == [sets[expected]]


def test_a_list_looks_at_the_sets_that_are_at_work(house: House) -> None:
    house.sandbox.configure_defaults(progress={"kind": "by_hand"})
    set_id = house.create_open()
    house.sandbox.complete(set_id)
    house.clock.move(5)
    assert listed(house, is_completed="1") == [set_id]


def test_each_edge_lists_what_was_created_on_it_and_one_lists_all(house: House) -> None:
    ads = house.create_open()
    key = {"access_token": house.key}
    creative = house.client.post(
        f"/act_{ACCOUNT}/asyncadcreatives",
        data={**key, "name": "c", "creative_spec": '{"name":"x"}'},
    ).get_json()["id"]
    operation = {"name": "a", "relative_url": f"act_{ACCOUNT}/campaigns", "body": "name=x"}
    batch = house.client.post(
        f"/act_{ACCOUNT}/async_batch_requests", json={**key, "name": "b", "adbatch": [operation]}
    ).get_json()["id"]
    assert listed(house) == [ads]
    assert listed(house, f"/act_{ACCOUNT}/asyncadcreatives") == [creative]
    assert listed(house, f"/act_{ACCOUNT}/async_requests") == [batch, creative, ads]
    assert listed(house, f"/act_{ACCOUNT}/async_requests", type="BATCH_API") == [batch]


def test_all_sets_are_filtered_by_the_words_of_the_sdk(house: House) -> None:
    done = house.create_open()
    house.notify()
    house.work()
    house.sandbox.configure_defaults(progress={"kind": "by_hand"})
    waiting = house.create_open()
    path = f"/act_{ACCOUNT}/async_requests"
    assert listed(house, path, status="FINISHED") == [done]
    assert listed(house, path, status="INITIALIZED") == [waiting]
    assert house.get(path, status="NONSENSE").get_json()["error"]["code"] == 100
    shown = house.get(path, fields="status,type").get_json()["data"]
    assert shown == [
        {"status": 3, "type": 0, "id": waiting},
        {"status": 2, "type": 0, "id": done},
    ]


def test_a_long_edge_is_walked_to_its_end(house: House) -> None:
    house.sandbox.old_sets(str(ACCOUNT), count=1200)
    house.create_open()
    page = house.get(EDGE, limit=500, summary="true").get_json()
    assert page["summary"] == {"total_count": 1201}
    assert len([each for one in walk(house, EDGE, limit=500) for each in one]) == 1201


def test_an_edge_is_read_again_only_up_to_what_is_known(house: House) -> None:
    house.sandbox.old_sets(str(ACCOUNT), count=1200)
    house.get(EDGE)
    before = len(house.sandbox.calls()["calls"])
    house.clock.move(5)
    others = GraphCaller(house.sandbox.url)
    with others.session:
        made = others.create(str(ACCOUNT), [ad("one")])
    assert listed(house, limit="1") == [made]
    reads = [call["method"] for call in house.sandbox.calls()["calls"][before:]]
    assert reads == ["POST", "GET", "GET"]


def test_the_kept_records_of_others_are_no_sets_of_ours(house: House) -> None:
    ours = house.create_open()
    house.sandbox.old_sets(str(ACCOUNT), count=1)
    listed(house)
    assert ours in {str(row.member_id) for row in house.rows(EdgeMember)}
    house.client.post(f"/{ours}", data={"name": "new", "access_token": house.key})
    assert "new" in [each["name"] for each in house.get(EDGE).get_json()["data"]]


def test_without_facebook_a_list_shows_what_is_known(house: House) -> None:
    ours = house.create_open()
    house.sandbox.old_sets(str(ACCOUNT), count=2)
    known = listed(house)
    house.clock.move(60)
    house.sandbox.trouble("http_error", count=None)
    response = house.get(EDGE)
    assert [each["id"] for each in response.get_json()["data"]] == known
    assert (response.headers["X-Receiver-Source"], response.headers["Age"]) == ("store", "60")
    assert ours in known


def test_a_set_whose_outcome_is_unknown_shows_neither_our_url_nor_our_tag(house: House) -> None:
    house.sandbox.trouble("commit_then_drop", method="POST", path="asyncadrequestsets$")
    assert house.create(name="lost").status_code == 409
    (entry,) = house.sandbox.ledger()
    token = entry["notification_uri"].rpartition(".")[2]
    shown = [
        house.get(EDGE, fields="name,notification_uri"),
        house.get(f"/{entry['id']}", fields="name,notification_uri"),
        house.get("/", ids=entry["id"], fields="notification_uri"),
    ]
    assert shown[0].get_json()["data"][0]["name"] == "lost"
    for each in shown:
        assert "/notifications/" in each.text
        assert token not in each.text
    assert all(token.encode() not in row.record for row in house.rows(EdgeMember))


def test_another_account_is_not_listed(house: House) -> None:
    response = house.get("/act_5/asyncadrequestsets")
    assert (response.status_code, response.get_json()["error"]["code"]) == (403, 200)


def test_an_ad_set_lists_the_requests_for_its_ads_ours_and_others(house: House) -> None:
    set_id = house.create_open([ad("one"), ad("fail two"), ad("three", adset_id="6000000000001")])
    house.notify()
    house.work()
    requests = house.get(f"/{set_id}/requests").get_json()["data"]
    path = "/6008248529789/asyncadrequests"
    assert listed(house, path) == [each["id"] for each in requests[:2]]
    assert listed(house, path, status="ERROR") == [requests[1]["id"]]
    assert listed(house, path, statuses='["SUCCESS"]', limit="1") == [requests[0]["id"]]
    assert house.get(path, summary="1").get_json()["summary"] == {"total_count": 2}


def test_a_campaign_lists_the_requests_in_its_ad_sets(house: House) -> None:
    key = {"access_token": house.key}
    campaign = house.client.post(
        f"/act_{ACCOUNT}/campaigns", data={**key, "name": "c", "objective": "LINK_CLICKS"}
    ).get_json()["id"]
    ad_set = house.client.post(
        f"/act_{ACCOUNT}/adsets",
        data={
            **key,
            "name": "s",
            "campaign_id": campaign,
            "daily_budget": 5000,
            "bid_amount": 2,
            "billing_event": "IMPRESSIONS",
            "optimization_goal": "REACH",
            "targeting": '{"geo_locations": {"countries": ["US"]}}',
        },
    ).get_json()["id"]
    set_id = house.create_open([ad("one", adset_id=ad_set)])
    (request,) = house.get(f"/{set_id}/requests").get_json()["data"]
    path = f"/{campaign}/asyncadrequests"
    assert listed(house, path) == [request["id"]]
    house.sandbox.trouble("http_error", count=None)
    house.clock.move(60)
    assert listed(house, path) == [request["id"]]
