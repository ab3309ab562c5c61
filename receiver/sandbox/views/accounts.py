"""Ad accounts: their own fields, and the edges on which everything else is made and listed."""

from __future__ import annotations

from receiver.graph.vocabulary import Node
from receiver.sandbox.views import async_batches, objects, sets
from receiver.sandbox.views.context import Context, Json, Kind
from receiver.sandbox.world import Account

AD_ACCOUNT = Node(
    "AdAccount",
    default_fields=("account_id", "id"),
    other_fields=("name", "account_status", "currency", "timezone_name", "created_time"),
)


def _record(_context: Context, account: Account) -> Json:
    return {
        "id": f"act_{account.id}",
        "account_id": account.id,
        "name": f"Account {account.id}",
        "account_status": 1,
        "currency": "USD",
        "timezone_name": "UTC",
        "created_time": None,
    }


KIND = Kind(
    AD_ACCOUNT,
    record=_record,
    edges={
        "asyncadrequestsets": sets.list_ad_sets,
        "asyncadcreatives": async_batches.list_creative_sets,
        "async_requests": async_batches.list_all_sets,
    },
    creates={
        "asyncadrequestsets": sets.create_ads,
        "asyncadcreatives": async_batches.create_creative,
        "async_batch_requests": async_batches.create_batch,
        "ads": objects.create_ad,
    },
)
