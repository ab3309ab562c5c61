"""The official SDK, a client that we did not write, with nothing changed but host and token."""

from __future__ import annotations

from typing import Any

from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.api import FacebookAdsApi
from facebook_business.session import FacebookSession

from tests.support.processes import Customer, eventually, specs

FIELDS = ["is_completed", "total_count", "success_count", "error_count"]
ADS = 60


def is_completed(request_set: Any) -> bool:
    request_set.api_get(fields=FIELDS)
    return bool(request_set["is_completed"])


def test_the_official_sdk_creates_polls_and_reads_the_requests(customer: Customer) -> None:
    customer.expect(progress={"kind": "after_seconds", "seconds": 1})
    session = FacebookSession(app_id="1", app_secret="unused", access_token=customer.key)
    session.GRAPH = customer.installation.url
    session.requests.trust_env = False
    with session.requests:
        api = FacebookAdsApi(session, api_version="v26.0")

        request_set = AdAccount(f"act_{customer.account}", api=api).create_async_ad_request_set(
            params={"name": "demo", "ad_specs": specs(ADS)}
        )
        eventually(lambda: is_completed(request_set), what="a complete set")
        requests = list(
            request_set.get_requests(
                fields=["id", "scope_object_id", "status", "result"], params={"limit": 25}
            )
        )

    assert [request_set[name] for name in FIELDS] == [True, ADS, ADS * 2 // 3, ADS // 3]
    customer.wait_for_state()
    customer.assert_whole()
    (entry,) = customer.ledger()
    assert request_set["id"] == entry["id"]
    assert [read.export_all_data() for read in requests] == entry["requests"]
