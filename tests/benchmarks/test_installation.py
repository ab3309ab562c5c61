from __future__ import annotations

from benchmarks.installation import SECRET_KEY, add_accounts, intent, plain_specs, settings_of
from receiver.lifecycle.submit import submit
from tests.support.house import House


def test_settings_are_those_of_a_process_with_the_same_variables() -> None:
    settings = settings_of(
        {
            "RECEIVER_DATABASE_URL": "sqlite:////nowhere.db",
            "RECEIVER_PUBLIC_URL": "http://receiver.example",
            "RECEIVER_SECRET_KEYS": SECRET_KEY,
            "RECEIVER_WORKER_THREADS": "2",
        }
    )
    assert (settings.public_url, settings.worker_threads) == ("http://receiver.example", 2)


def test_an_account_that_was_added_takes_the_set_that_is_asked_for(house: House) -> None:
    add_accounts(house.parts, [71])
    submit(house.parts.tools, intent(71, plain_specs(3)))
    (made,) = house.sandbox.ledger("act_71")
    assert [len(made["requests"]), made["name"].split(" ")[0]] == [3, "measured"]
