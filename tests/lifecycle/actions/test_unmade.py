"""That a failed request made no ad has to be proved: by Facebook's clock, and by every name."""

from __future__ import annotations

from receiver.store import waits
from receiver.store.models import RequestSet
from tests.support.acting import act, doubtful_failure
from tests.support.house import House, ad


def test_absence_of_an_ad_is_not_proved_by_our_clock_alone(house: House) -> None:
    doubtful_failure(house)
    house.clock.move(house.parts.settings.settle_seconds + 1)

    assert act(house, "resubmit").status_code == 409

    house.sandbox.move_clock(house.parts.settings.settle_seconds + 1)
    assert act(house, "resubmit").status_code == 200


def test_without_facebooks_time_of_the_set_nothing_is_proved(house: House) -> None:
    doubtful_failure(house)
    house.let_time_pass(house.parts.settings.settle_seconds + 1)
    with house.parts.database.writing() as session:
        session.get_one(RequestSet, 1).updated_time = "yesterday"

    assert act(house, "resubmit").status_code == 409


def let_an_ad_be_named(house: House, name: str) -> None:
    house.create_open([ad("other")])
    made = house.sandbox.ledger()[-1]["requests"][0]["result"]["id"]
    house.client.post(f"/{made}", data={"name": name, "access_token": house.key})
    house.let_time_pass(house.parts.settings.settle_seconds + 1)


def test_an_ad_whose_name_facebook_wrote_in_another_way_may_be_that_of_a_failure(
    house: House,
) -> None:
    doubtful_failure(house, "fail  a ")
    let_an_ad_be_named(house, "Fail a")

    assert act(house, "resubmit").status_code == 409


def test_an_ad_without_a_name_may_be_that_of_any_failure(house: House) -> None:
    doubtful_failure(house)
    let_an_ad_be_named(house, " ")

    assert act(house, "resubmit").status_code == 409


def test_a_throttle_met_while_ads_are_read_is_kept_and_nothing_is_sent(house: House) -> None:
    failed = doubtful_failure(house)
    house.let_time_pass(house.parts.settings.settle_seconds + 1)
    house.sandbox.trouble(
        "graph_error", code=17, method="GET", path=f"{failed.scope_object_id}/ads", count=10
    )

    assert act(house, "resubmit").status_code == 502

    assert len(house.rows(RequestSet)) == 1
    with house.parts.database.reading() as session:
        assert waits.is_waiting(session, failed.account_id or 0, now=house.clock())
