from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from receiver.sandbox.world.objects import GraphObject, ObjectKind, Objects

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def thing(
    object_id: str, kind: ObjectKind, *, account_id: str | None = "1", **more: Any
) -> GraphObject:
    is_created = more.pop("is_created", True)
    return GraphObject(object_id, kind, account_id, more, NOW, NOW, is_created=is_created)


def ids(objects: Objects, owner_id: str, kind: ObjectKind) -> list[str]:
    return [each.id for each in objects.under(owner_id, kind)]


def test_an_object_is_found_by_its_id_its_account_and_its_parent() -> None:
    objects = Objects()
    ad = thing("7", ObjectKind.AD, adset_id="5")
    objects.add(ad)
    assert objects.find("7") is ad
    assert objects.find("8") is None
    assert ids(objects, "act_1", ObjectKind.AD) == ids(objects, "5", ObjectKind.AD) == ["7"]
    assert ids(objects, "act_1", ObjectKind.AD_SET) == ids(objects, "act_2", ObjectKind.AD) == []


def test_the_lineage_of_an_ad_goes_up_to_its_campaign() -> None:
    objects = Objects()
    ad = thing("7", ObjectKind.AD, adset_id="5")
    objects.add(ad)
    assert objects.lineage(ad) == {ObjectKind.AD: "7", ObjectKind.AD_SET: "5"}
    objects.add(thing("5", ObjectKind.AD_SET, campaign_id="60"))
    assert objects.lineage(ad)[ObjectKind.CAMPAIGN] == "60"
    campaign = thing("60", ObjectKind.CAMPAIGN)
    assert objects.lineage(campaign) == {ObjectKind.CAMPAIGN: "60"}


def test_an_object_gets_its_account_and_its_parent_later() -> None:
    objects = Objects()
    ad = thing("7", ObjectKind.AD, account_id=None, is_created=False)
    objects.add(ad)
    assert ad.is_unknown
    objects.adopt(ad, "1")
    assert not ad.is_unknown
    objects.change(ad, {"adset_id": "5"})
    objects.change(ad, {"adset_id": "5", "name": "an ad"})
    assert ad.is_settled
    assert ids(objects, "act_1", ObjectKind.AD) == ids(objects, "5", ObjectKind.AD) == ["7"]


def test_an_object_that_becomes_another_is_listed_as_that() -> None:
    objects = Objects()
    first, second = (thing(each, ObjectKind.AD_SET, is_created=False) for each in ("5", "6"))
    objects.add(first)
    objects.add(second)
    objects.become(second, ObjectKind.CAMPAIGN)
    assert ids(objects, "act_1", ObjectKind.AD_SET) == ["5"]
    assert ids(objects, "act_1", ObjectKind.CAMPAIGN) == ["6"]
