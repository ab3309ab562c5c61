"""Sets, campaigns, ad sets and ads that tests make in a sandbox."""

from __future__ import annotations

import json
from typing import Any

import requests

from tests.support.sandbox import GraphCaller

ACCOUNT = "/v21.0/act_1"
TARGETING = {"geo_locations": {"countries": ["US"]}}
STORY = {"page_id": "9", "link_data": {"link": "https://www.test12345.com"}}
CAMPAIGN = {"name": "a campaign", "objective": "OUTCOME_TRAFFIC", "buying_type": "AUCTION"}
AD_SET = {"name": "an ad set", "billing_event": "IMPRESSIONS", "daily_budget": "5000"}
CREATIVE = {"name": "a creative", "object_story_spec": json.dumps(STORY)}
NEVER_GIVEN = "9" * 18


def create_set(graph: GraphCaller) -> requests.Response:
    """Ask for a set of one ad, and return whatever comes."""
    form = {"name": "set", "ad_specs": '[{"name": "ad", "adset_id": "5"}]'}
    return graph.call("POST", f"{ACCOUNT}/asyncadrequestsets", data=form)


def campaign(graph: GraphCaller, **more: Any) -> str:
    created: str = graph.post(f"{ACCOUNT}/campaigns", **{**CAMPAIGN, **more})["id"]
    return created


def ad_set(graph: GraphCaller, campaign_id: str = "60", **more: Any) -> str:
    terms = {**AD_SET, "campaign_id": campaign_id, "targeting": json.dumps(TARGETING), **more}
    created: str = graph.post(f"{ACCOUNT}/adsets", **terms)["id"]
    return created


def ad(graph: GraphCaller, adset_id: str = "5", *, name: str = "an ad", **more: Any) -> str:
    created: str = graph.post(f"{ACCOUNT}/ads", name=name, adset_id=adset_id, **more)["id"]
    return created


def ids(page: Any) -> list[str]:
    return [each["id"] for each in page["data"]]


def blamed(answer: Any) -> list[Any]:
    assert answer["error"]["code"] == 100
    fields: list[Any] = answer["error"]["error_data"]["blame_field_specs"]
    return fields


def is_missing(answer: Any) -> bool:
    error = answer.get("error", {})
    return (error.get("code"), error.get("error_subcode")) == (100, 33)
