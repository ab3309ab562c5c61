"""The official Python SDK lists what ads are made of, by edges, by filters and by ids."""

from __future__ import annotations

from typing import Any

import pytest
from facebook_business.adobjects.abstractcrudobject import AbstractCrudObject
from facebook_business.adobjects.ad import Ad
from facebook_business.adobjects.adasyncrequestset import AdAsyncRequestSet
from facebook_business.exceptions import FacebookRequestError

from tests.conformance.page import ad_spec
from tests.support.sdk import ids
from tests.support.sdk_objects import (
    Family,
    create_ad,
    create_ad_set,
    create_campaign,
    create_family,
)


def test_campaigns_come_with_the_fields_that_are_asked_for(account: Any) -> None:
    made = [create_campaign(account, name=f"campaign {number}") for number in range(30)]
    cursor = account.get_campaigns(fields=["name", "objective"], params={"limit": 7})
    assert (len(cursor), cursor.total()) == (7, 30)
    listed = list(cursor)
    assert sorted(ids(listed)) == sorted(ids(made))
    assert {each["objective"] for each in listed} == {"OUTCOME_TRAFFIC"}


@pytest.mark.parametrize(
    ("kind", "edge"),
    [("campaign", "get_campaigns"), ("ad_set", "get_ad_sets"), ("ad", "get_ads")],
)
def test_objects_are_filtered_by_their_effective_status(
    account: Any, family: Family, kind: str, edge: str
) -> None:
    other = getattr(create_family(account), kind)
    other.api_update(params={"status": "ACTIVE"})
    list_some = getattr(account, edge)
    assert ids(list_some(params={"effective_status": ["ACTIVE"]})) == [other["id"]]
    paused = list_some(params={"effective_status": ["PAUSED"]})
    assert ids(paused) == [getattr(family, kind)["id"]]
    assert len(list(list_some(params={"effective_status": ["PAUSED", "ACTIVE"]}))) == 2


def test_the_ads_of_an_account_are_those_of_the_ad_sets_named(account: Any, family: Family) -> None:
    other = create_ad_set(account, campaign=family.campaign, name="another")
    later = create_ad(account, ad_set=other, creative=family.creative, name="later")
    named = account.get_ads(fields=["name"], params={"adset_ids": [other["id"]]})
    assert [(each["id"], each["name"]) for each in named] == [(later["id"], "later")]
    both = account.get_ads(params={"adset_ids": [family.ad_set["id"], other["id"]]})
    assert sorted(ids(both)) == sorted([family.ad["id"], later["id"]])


def test_the_edges_of_a_family_lead_to_its_members(family: Family) -> None:
    assert ids(family.campaign.get_ad_sets()) == [family.ad_set["id"]]
    assert ids(family.campaign.get_ads()) == [family.ad["id"]]
    assert ids(family.ad_set.get_ads(fields=["name"])) == [family.ad["id"]]


def test_an_ad_set_and_an_account_list_their_ads_page_by_page(account: Any, family: Family) -> None:
    made = [
        create_ad(account, ad_set=family.ad_set, creative=family.creative, name=f"ad {number}")
        for number in range(29)
    ]
    every = sorted(ids([family.ad, *made]))
    for owner in (family.ad_set, account):
        cursor = owner.get_ads()
        assert (len(cursor), cursor.total()) == (25, 30)
        assert sorted(ids(cursor)) == every


def test_an_ad_that_was_made_asynchronously_is_an_ad(account: Any, family: Family) -> None:
    spec = ad_spec("made later", adset_id=family.ad_set["id"])
    request_set = account.create_async_ad_request_set(params={"name": "one", "ad_specs": [spec]})
    result = request_set.get_requests(fields=["result"]).get_one()["result"]
    ad = Ad(result["id"], api=account.get_api()).api_get(fields=["name", "adset_id"])
    assert (ad["name"], ad["adset_id"]) == ("made later", family.ad_set["id"])
    assert sorted(ids(family.ad_set.get_ads())) == sorted([family.ad["id"], ad["id"]])


def test_many_objects_are_read_by_their_ids(account: Any, family: Family) -> None:
    later = create_ad(account, ad_set=family.ad_set, creative=family.creative, name="later")
    api = account.get_api()
    ads = Ad.get_by_ids([family.ad["id"], later["id"]], fields=["name"], api=api)
    assert all(isinstance(ad, Ad) for ad in ads)
    assert [(ad["id"], ad["name"]) for ad in ads] == [
        (family.ad["id"], "an ad"),
        (later["id"], "later"),
    ]


def test_objects_of_different_kinds_are_read_by_their_ids(account: Any, family: Family) -> None:
    wanted = [family.campaign["id"], family.ad_set["id"], "act_1"]
    found = AbstractCrudObject.get_by_ids(wanted, api=account.get_api())
    assert [each.get_id() for each in found] == wanted


def test_sets_are_read_by_their_ids(account: Any) -> None:
    made = [
        account.create_async_ad_request_set(params={"name": name, "ad_specs": [ad_spec(name)]})
        for name in ("one", "two")
    ]
    sets = AdAsyncRequestSet.get_by_ids(
        ids(made), fields=["name", "total_count"], api=account.get_api()
    )
    assert [(each["name"], each["total_count"]) for each in sets] == [("one", 1), ("two", 1)]


def test_one_bad_id_spoils_them_all(account: Any, family: Family) -> None:
    with pytest.raises(FacebookRequestError) as raised:
        Ad.get_by_ids([family.ad["id"], "9" * 18], api=account.get_api())
    assert (raised.value.api_error_code(), raised.value.api_error_subcode()) == (803, None)
