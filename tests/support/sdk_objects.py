"""What ads are made of, made by the official Python SDK. ``account`` is an AdAccount of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from facebook_business.adobjects.ad import Ad
from facebook_business.adobjects.adset import AdSet
from facebook_business.adobjects.campaign import Campaign

STORY = {
    "page_id": "12345678",
    "link_data": {"link": "https://www.test12345.com", "message": "this is a sample message"},
}
TARGETING = {"geo_locations": {"countries": ["US"]}}


def create_campaign(account: Any, *, name: str = "a campaign") -> Any:
    return account.create_campaign(
        params={
            "name": name,
            "objective": Campaign.Objective.outcome_traffic,
            "status": Campaign.Status.paused,
            "special_ad_categories": [],
        }
    )


def create_ad_set(account: Any, *, campaign: Any, name: str = "an ad set") -> Any:
    made = account.create_ad_set(
        params={
            "name": name,
            "campaign_id": campaign["id"],
            "daily_budget": 5000,
            "bid_amount": 2,
            "billing_event": AdSet.BillingEvent.impressions,
            "optimization_goal": AdSet.OptimizationGoal.reach,
            "targeting": TARGETING,
            "status": AdSet.Status.paused,
        }
    )
    return AdSet(made["id"], api=account.get_api())


def create_creative(account: Any) -> Any:
    return account.create_ad_creative(params={"name": "a creative", "object_story_spec": STORY})


def create_ad(account: Any, *, ad_set: Any, creative: Any, name: str = "an ad") -> Any:
    return account.create_ad(
        params={
            "name": name,
            "adset_id": ad_set["id"],
            "creative": {"creative_id": creative["id"]},
            "status": Ad.Status.paused,
        }
    )


@dataclass(frozen=True)
class Family:
    """A campaign, an ad set of it, a creative, and an ad of both."""

    campaign: Any
    ad_set: Any
    creative: Any
    ad: Any


def create_family(account: Any) -> Family:
    campaign, creative = create_campaign(account), create_creative(account)
    ad_set = create_ad_set(account, campaign=campaign)
    ad = create_ad(account, ad_set=ad_set, creative=creative)
    return Family(campaign, ad_set, creative, ad)
