from __future__ import annotations

from typing import Any

from receiver.cli.demo.compare import Comparison, StoredSet, compare

DONE = {"1": ("SUCCESS", {"id": "9"}), "2": ("ERROR", {"error_code": 1})}


def entry(set_id: str, *, intent: int | None, requests: Any = None) -> dict[str, Any]:
    """A set in the sandbox's ledger; its URI names the intent."""
    shown = DONE if requests is None else requests
    return {
        "id": set_id,
        "notification_uri": None if intent is None else str(intent),
        "requests": [
            {"id": one, "status": status, "result": result}
            for one, (status, result) in shown.items()
        ],
    }


def stored(
    request_set_id: int,
    facebook_id: int | None,
    *,
    state: str = "collected",
    requests: Any = None,
) -> StoredSet:
    shown = DONE if requests is None else requests
    return StoredSet(request_set_id, facebook_id, state, shown)


def compared(ledger: list[dict[str, Any]], rows: list[StoredSet]) -> Comparison:
    return compare(ledger, rows, intent_of=lambda uri: int(uri) if uri else None)


def test_what_is_the_same_on_both_sides_is_neither_missing_nor_doubled() -> None:
    assert compared([entry("5", intent=1)], [stored(1, 5)]) == Comparison(0, 0, [])
    assert compared([], []) == Comparison(0, 0, [])


def test_a_set_that_sql_does_not_know_is_missing() -> None:
    found = compared([entry("5", intent=1)], [])
    assert (found.missing, found.findings) == (1, ["set 5 is not in SQL"])


def test_a_set_that_is_not_collected_is_missing() -> None:
    found = compared([entry("5", intent=1)], [stored(1, 5, state="open")])
    assert (found.missing, found.findings) == (1, ["set 5 is open"])


def test_a_set_that_facebook_does_not_have_is_missing_unless_it_was_refused() -> None:
    rows = [
        stored(1, None, state="unknown"),
        stored(2, None, state="rejected"),
        stored(3, 77),
    ]
    found = compared([], rows)
    assert found.findings == ["intent 1 is unknown", "intent 3 is collected"]
    assert found.missing == 2


def test_each_request_counts_with_its_status_and_its_result() -> None:
    other_result = {**DONE, "1": ("SUCCESS", {"id": "8"})}
    other_status = {**DONE, "2": ("CANCELED", {"error_code": 1})}
    one_less = {"1": DONE["1"]}
    one_more = {**DONE, "3": ("SUCCESS", {"id": "10"})}
    for requests in (other_result, other_status, one_less, one_more):
        found = compared([entry("5", intent=1)], [stored(1, 5, requests=requests)])
        assert found.findings == ["set 5 differs in 1 requests"]


def test_an_intent_with_two_sets_is_doubled() -> None:
    ledger = [entry("5", intent=1), entry("6", intent=1)]
    found = compared(ledger, [stored(1, 5)])
    assert (found.missing, found.doubled) == (1, 1)
    assert found.findings == ["set 6 is not in SQL", "intent 1 has 2 sets"]


def test_sets_that_name_no_intent_are_no_doubles_of_each_other() -> None:
    ledger = [entry("5", intent=None), entry("6", intent=None)]
    assert compared(ledger, [stored(1, 5), stored(2, 6)]) == Comparison(0, 0, [])
