from __future__ import annotations

from typing import Any

import pytest
from facebook_business.adobjects.ad import Ad
from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.adobjects.adcreative import AdCreative
from facebook_business.adobjects.adimage import AdImage
from facebook_business.adobjects.adset import AdSet
from facebook_business.adobjects.adsinsights import AdsInsights
from facebook_business.adobjects.campaign import Campaign
from facebook_business.adobjects.user import User

from receiver.graph.vocabulary import Node
from receiver.sandbox.views import nodes
from receiver.sandbox.views.insights import INSIGHTS

OWN = (nodes.AD, nodes.AD_SET, nodes.CAMPAIGN, nodes.CREATIVE)


@pytest.mark.parametrize(
    ("node", "sdk_class"),
    [
        (nodes.AD, Ad),
        (nodes.AD_SET, AdSet),
        (nodes.CAMPAIGN, Campaign),
        (nodes.CREATIVE, AdCreative),
        (nodes.IMAGE, AdImage),
        (nodes.ACCOUNT, AdAccount),
        (nodes.USER, User),
        (INSIGHTS, AdsInsights),
    ],
    ids=lambda value: value.name if isinstance(value, Node) else "",
)
def test_a_node_has_the_fields_that_the_sdk_has(node: Node, sdk_class: Any) -> None:
    names = {value for name, value in vars(sdk_class.Field).items() if not name.startswith("_")}
    assert node.name == sdk_class.__name__
    assert set(node.fields) == names
    assert len(node.fields) == len(names)


def test_fields_that_hold_json_are_fields() -> None:
    assert {field for node in OWN for field in node.fields} >= nodes.JSON_FIELDS
