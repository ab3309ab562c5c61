"""Ad accounts: their own fields, and the edges on which everything else is made and listed."""

from __future__ import annotations

from receiver.sandbox.calls import errors
from receiver.sandbox.views import ads, async_batches, async_requests, figures, images, nodes, sets
from receiver.sandbox.views.context import Context, Json, Kind
from receiver.sandbox.views.objects import list_of_account
from receiver.sandbox.world.objects import ObjectKind
from receiver.sandbox.world.world import Account


def _record(_context: Context, account: Account) -> Json:
    return {
        "id": f"act_{account.id}",
        "account_id": account.id,
        "name": f"Account {account.id}",
        "account_status": 1,
        "currency": "USD",
        "timezone_name": "UTC",
        "timezone_offset_hours_utc": 0,
        "amount_spent": "0",
        "balance": "0",
    }


def _copy_ads(_context: Context, _account: Account) -> Json:
    """``POST /act_<id>/asyncadcopies``: only some apps may (the facts, section 1)."""
    raise errors.no_capability()


KIND: Kind = Kind(
    nodes.ACCOUNT,
    record=_record,
    edges={
        "asyncadrequestsets": sets.list_ad_sets,
        "asyncadcreatives": async_batches.list_creative_sets,
        "async_requests": async_requests.list_all_sets,
        "campaigns": list_of_account(ObjectKind.CAMPAIGN),
        "adsets": list_of_account(ObjectKind.AD_SET),
        "ads": list_of_account(ObjectKind.AD),
        "adcreatives": list_of_account(ObjectKind.CREATIVE),
        "adimages": images.list_images,
        "insights": figures.list_account_insights,
        "adgroupstats": figures.list_ad_statistics,
        "reachestimate": figures.estimate_reach,
    },
    creates={
        "asyncadrequestsets": sets.create_ads,
        "asyncadcreatives": async_batches.create_creative,
        "asyncadcopies": _copy_ads,
        "async_batch_requests": async_batches.create_batch,
        "campaigns": ads.create_campaign,
        "adsets": ads.create_ad_set,
        "ads": ads.create_ad,
        "adcreatives": ads.create_creative,
        "adimages": images.create_images,
    },
    removes={"adimages": images.delete_image},
)
