"""The official Python SDK reads insights, reach estimates, and the accounts of its user."""

from __future__ import annotations

from typing import Any

from facebook_business.adobjects.ad import Ad
from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.adobjects.adaccountreachestimate import AdAccountReachEstimate
from facebook_business.adobjects.adset import AdSet
from facebook_business.adobjects.adsinsights import AdsInsights
from facebook_business.adobjects.user import User

from tests.support.sdk import Callbacks, ids

ADS = ["6003356308839", "6004164369439"]
AD_SET = "6003356307839"
NUMBERS = ["impressions", "clicks", "spend"]


def numbers(rows: Any) -> list[dict[str, str]]:
    return [{name: row[name] for name in NUMBERS} for row in rows]


def filtering(field: str, *, values: list[str]) -> list[dict[str, Any]]:
    return [{"field": field, "operator": AdsInsights.Operator.in_, "value": values}]


def test_an_ad_has_insights(api: Any) -> None:
    (row,) = Ad(ADS[0], api=api).get_insights(fields=NUMBERS)
    assert isinstance(row, AdsInsights)
    assert int(row["impressions"]) >= int(row["clicks"]) >= 0
    assert float(row["spend"]) >= 0
    assert row["date_start"] <= row["date_stop"]


def test_insights_are_the_same_whenever_they_are_read(api: Any) -> None:
    ad = Ad(ADS[0], api=api)
    assert numbers(ad.get_insights(fields=NUMBERS)) == numbers(ad.get_insights(fields=NUMBERS))


def test_insights_of_two_ads_differ(api: Any) -> None:
    first, second = (numbers(Ad(each, api=api).get_insights(fields=NUMBERS)) for each in ADS)
    assert first != second


def test_the_insights_of_an_account_are_filtered_by_ads(api: Any, account: Any) -> None:
    week = {"date_preset": AdsInsights.DatePreset.last_7d}
    rows = account.get_insights(
        fields=["ad_id", *NUMBERS],
        params={**week, "level": AdsInsights.Level.ad, "filtering": filtering("ad.id", values=ADS)},
    )
    shown = {row["ad_id"]: numbers([row]) for row in rows}
    assert shown == {
        each: numbers(Ad(each, api=api).get_insights(fields=NUMBERS, params=week)) for each in ADS
    }


def test_the_insights_of_an_account_are_filtered_by_ad_sets(account: Any) -> None:
    rows = account.get_insights(
        fields=["adset_id", "impressions"],
        params={"level": "adset", "filtering": filtering("adset.id", values=[AD_SET])},
    )
    assert [row["adset_id"] for row in rows] == [AD_SET]


def test_an_account_and_an_ad_set_have_insights(api: Any, account: Any) -> None:
    for owner in (account, AdSet(AD_SET, api=api)):
        assert len(list(owner.get_insights(fields=NUMBERS))) == 1


def test_insights_come_in_a_batch(api: Any, account: Any) -> None:
    callbacks, batch = Callbacks(), api.new_batch()
    account.get_insights(
        params={"level": "ad", "filtering": filtering("ad.id", values=ADS)},
        batch=batch,
        **callbacks.of("account"),
    )
    Ad(ADS[0], api=api).get_insights(batch=batch, **callbacks.of("ad"))
    assert batch.execute() is None
    assert len(callbacks.successes["account"].json()["data"]) == 2
    assert len(callbacks.successes["ad"].json()["data"]) == 1


def test_a_reach_is_estimated(account: Any) -> None:
    targeting = {"geo_locations": {"countries": ["US"]}}
    estimate = account.get_reach_estimate(params={"targeting_spec": targeting})[0]
    assert isinstance(estimate, AdAccountReachEstimate)
    assert estimate["estimate_ready"] is True
    assert 0 < estimate["users_lower_bound"] <= estimate["users_upper_bound"]


def test_fifty_reaches_are_estimated_in_one_batch(api: Any, account: Any) -> None:
    callbacks, batch = Callbacks(), api.new_batch()
    for number in range(50):
        targeting = {"geo_locations": {"countries": ["US"]}, "age_min": 13 + number}
        account.get_reach_estimate(
            params={"targeting_spec": targeting}, batch=batch, **callbacks.of(str(number))
        )
    assert batch.execute() is None
    estimates = [each.json()["data"] for each in callbacks.successes.values()]
    assert len(estimates) == 50
    assert len({each["users_upper_bound"] for each in estimates}) > 1


def test_a_user_has_the_accounts_that_were_used(api: Any) -> None:
    for account_id in ("act_1", "act_2"):
        AdAccount(account_id, api=api).get_async_ad_request_sets()
    accounts = list(User("me", api=api).get_ad_accounts(fields=["account_id", "name"]))
    assert sorted(ids(accounts)) == ["act_1", "act_2"]
    assert sorted(account["account_id"] for account in accounts) == ["1", "2"]
    assert all(isinstance(account, AdAccount) for account in accounts)


def test_the_first_account_of_a_user_is_found(api: Any, account: Any) -> None:
    account.get_async_ad_request_sets()
    assert AdAccount.get_my_account(api=api)["id"] == "act_1"


def test_an_account_is_read(account: Any) -> None:
    account.api_get(fields=["name", "currency", "account_status"])
    assert account["account_status"] == AdAccount.AccountStatus.active
    assert (type(account["name"]), account["currency"]) == (str, "USD")
