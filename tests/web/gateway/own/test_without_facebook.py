"""Facebook is gone: what was collected is read all the same, and nobody is asked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.house import ACCOUNT, House, ad
from tests.support.lying_server import Peer, lying_server

ACT = f"/act_{ACCOUNT}"


@pytest.fixture
def collected(house: House) -> dict[str, str]:
    """A set of each edge, collected, and the ids that readers use."""
    key = {"access_token": house.key}
    campaign = house.client.post(
        f"{ACT}/campaigns", data={**key, "name": "c", "objective": "LINK_CLICKS"}
    ).get_json()["id"]
    ad_set = house.client.post(
        f"{ACT}/adsets",
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
    ads = house.create_open([ad("one", adset_id=ad_set), ad("to fail", adset_id=ad_set)])
    operation = {"name": "a", "relative_url": ACT.strip("/") + "/campaigns", "body": "name=x"}
    batch = house.client.post(
        f"{ACT}/async_batch_requests",
        data={**key, "name": "b", "adbatch": json.dumps([operation])},
    ).get_json()["id"]
    creative = house.client.post(
        f"{ACT}/asyncadcreatives", data={**key, "name": "c", "creative_spec": '{"name": "x"}'}
    ).get_json()["id"]
    for set_id in (ads, batch, creative):
        house.notify(set_id)
    house.work()
    request_id = house.get(f"/{ads}/requests").get_json()["data"][0]["id"]
    for object_id in (ad_set, campaign):
        house.get(f"/{object_id}/asyncadrequests")
    for edge in ("asyncadrequestsets", "asyncadcreatives", "async_requests"):
        house.get(f"{ACT}/{edge}")
    return {
        "ads": ads,
        "batch": batch,
        "creative": creative,
        "request": request_id,
        "ad_set": ad_set,
        "campaign": campaign,
    }


def hang_up(peer: Peer) -> None:
    """What a Facebook does that is gone."""
    peer.read_request()
    peer.reset()


READS: dict[str, tuple[str, dict[str, str]]] = {
    "a set": ("/{ads}", {"fields": "is_completed,requests{status}"}),
    "an async batch": ("/{batch}", {}),
    "a set of a creative": ("/{creative}", {}),
    "by id": ("/", {"id": "{ads}"}),
    "by ids": ("/", {"ids": "{ads},{batch},{request}"}),
    "its requests": ("/{ads}/requests", {"fields": "result,input,async_request_set{name}"}),
    "its requests by id": ("/requests", {"id": "{ads}"}),
    "requests by ids": ("/requests", {"ids": "{ads},{batch}"}),
    "requests by status": ("/{ads}/requests", {"status": "SUCCESS"}),
    "requests by statuses": ("/{ads}/requests", {"statuses": '["ERROR"]'}),
    "one request": ("/{request}", {"fields": "status,result"}),
    "the account's sets": (f"{ACT}/asyncadrequestsets", {"summary": "true"}),
    "the complete ones": (f"{ACT}/asyncadrequestsets", {"is_completed": "1"}),
    "those of creatives": (f"{ACT}/asyncadcreatives", {}),
    "all of them": (f"{ACT}/async_requests", {"is_completed": "true"}),
    "an ad set's requests": ("/{ad_set}/asyncadrequests", {"status": "ERROR"}),
    "a campaign's requests": ("/{campaign}/asyncadrequests", {}),
}


def read(house: House, name: str, named: dict[str, str]) -> Any:
    path, query = READS[name]
    filled = {key: text if key == "fields" else text.format(**named) for key, text in query.items()}
    return house.get(path.format(**named), **filled)


def test_every_read_answers_as_before_and_nobody_is_asked(
    house: House, collected: dict[str, str]
) -> None:
    before = {name: read(house, name, collected).get_json() for name in READS}
    with lying_server(hang_up) as server, house.with_facebook_at(server.url):
        for name in READS:
            response = read(house, name, collected)
            assert (response.status_code, response.get_json()) == (200, before[name]), name
            assert response.headers["X-Receiver-Source"] == "store", name
        assert server.requests == []


def test_an_hour_later_they_still_answer(house: House, collected: dict[str, str]) -> None:
    house.clock.move(3600)
    with lying_server(hang_up) as server, house.with_facebook_at(server.url):
        for name in READS:
            response = read(house, name, collected)
            assert response.status_code == 200, (name, response.text)
            assert response.headers["X-Receiver-Source"] == "store", name
    # Only what others may have made in the meantime was asked for.
    asked = {request.split(b" ")[1].partition(b"?")[0] for request in server.requests}
    assert asked
    assert all(path.endswith((b"sets", b"creatives", b"requests")) for path in asked)
    assert not any(collected["ads"].encode() in path for path in asked)
