"""The official Python SDK makes, reads, changes and deletes what ads are made of."""

from __future__ import annotations

from typing import Any

import pytest
from facebook_business.adobjects.adcreative import AdCreative
from facebook_business.adobjects.campaign import Campaign
from facebook_business.exceptions import FacebookRequestError

from tests.support.sdk import ids
from tests.support.sdk_objects import STORY, TARGETING, Family


def test_a_campaign_is_read_as_it_was_made(family: Family) -> None:
    family.campaign.api_get(fields=["name", "objective", "status", "account_id", "created_time"])
    shown = family.campaign.export_all_data()
    assert {**shown, "created_time": ""} == {
        "id": family.campaign["id"],
        "name": "a campaign",
        "objective": "OUTCOME_TRAFFIC",
        "status": "PAUSED",
        "account_id": "1",
        "created_time": "",
    }


def test_an_ad_set_is_read_as_it_was_made(family: Family) -> None:
    family.ad_set.api_get(fields=["name", "campaign_id", "daily_budget", "targeting", "bid_amount"])
    assert family.ad_set["campaign_id"] == family.campaign["id"]
    assert family.ad_set["daily_budget"] == "5000"
    assert family.ad_set["targeting"].export_all_data() == TARGETING
    assert int(family.ad_set["bid_amount"]) == 2


def test_a_creative_is_read_as_it_was_made(family: Family) -> None:
    assert isinstance(family.creative, AdCreative)
    family.creative.api_get(fields=["name", "object_story_spec"])
    assert family.creative["name"] == "a creative"
    assert family.creative["object_story_spec"].export_all_data() == STORY


def test_an_ad_is_read_as_it_was_made(family: Family) -> None:
    family.ad.api_get(fields=["name", "adset_id", "campaign_id", "creative", "status"])
    assert (family.ad["name"], family.ad["status"]) == ("an ad", "PAUSED")
    assert family.ad["adset_id"] == family.ad_set["id"]
    assert family.ad["campaign_id"] == family.campaign["id"]
    assert isinstance(family.ad["creative"], AdCreative)
    assert family.ad["creative"]["id"] == family.creative["id"]


@pytest.mark.parametrize("kind", ["campaign", "ad_set", "creative", "ad"])
def test_an_object_is_renamed(family: Family, kind: str) -> None:
    thing = getattr(family, kind)
    thing.api_update(params={"name": "new name"})
    assert type(thing)(thing["id"], api=thing.get_api()).api_get(fields=["name"])["name"] == (
        "new name"
    )


@pytest.mark.parametrize("kind", ["campaign", "ad_set", "ad"])
def test_an_object_is_switched_on(family: Family, kind: str) -> None:
    thing = getattr(family, kind)
    thing.api_update(params={"status": "ACTIVE"})
    assert thing.api_get(fields=["status"])["status"] == "ACTIVE"


def test_a_creative_cannot_be_rewritten(family: Family) -> None:
    with pytest.raises(FacebookRequestError) as raised:
        family.creative.api_update(params={"object_story_spec": {**STORY, "page_id": "9"}})
    assert (raised.value.http_status(), raised.value.api_error_code()) == (400, 100)
    family.creative.api_get(fields=["object_story_spec"])
    assert family.creative["object_story_spec"].export_all_data() == STORY


@pytest.mark.parametrize(
    ("kind", "edge"),
    [
        ("campaign", "get_campaigns"),
        ("ad_set", "get_ad_sets"),
        ("creative", "get_ad_creatives"),
        ("ad", "get_ads"),
    ],
)
def test_what_was_made_is_listed_until_it_is_deleted(
    account: Any, family: Family, kind: str, edge: str
) -> None:
    thing = getattr(family, kind)
    assert ids(getattr(account, edge)()) == [thing["id"]]
    thing.api_delete()
    assert list(getattr(account, edge)()) == []


def test_a_read_of_nothing_but_an_id_shows_the_id(family: Family) -> None:
    assert family.campaign.api_get().export_all_data() == {"id": family.campaign["id"]}


def test_a_required_parameter_that_is_missing_is_named(account: Any) -> None:
    with pytest.raises(FacebookRequestError) as raised:
        account.create_ad(params={"name": "an ad", "status": "PAUSED"})
    assert raised.value.http_status() == 400
    assert raised.value.api_error_code() == 100
    assert raised.value.api_blame_field_specs() == [["adset_id"]]


def test_the_older_methods_of_the_sdk_work_too(api: Any, account: Any) -> None:
    campaign = Campaign(parent_id="act_1", api=api)
    campaign.update({"name": "one", "objective": "OUTCOME_TRAFFIC", "special_ad_categories": []})
    campaign.remote_create()
    campaign["name"] = "two"
    campaign.remote_update()
    assert Campaign(campaign["id"], api=api).remote_read(fields=["name"])["name"] == "two"
    campaign.remote_delete()
    assert list(account.get_campaigns()) == []


def test_the_older_methods_of_the_sdk_go_into_a_batch(api: Any, account: Any) -> None:
    batch = api.new_batch()
    campaigns = [Campaign(parent_id="act_1", api=api) for _ in range(3)]
    for campaign in campaigns:
        campaign.update({"name": "one", "objective": "OUTCOME_TRAFFIC"})
        campaign.remote_create(batch=batch, params={"special_ad_categories": []})
    assert batch.execute() is None
    assert sorted(ids(campaigns)) == sorted(ids(account.get_campaigns()))
