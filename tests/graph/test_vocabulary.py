from __future__ import annotations

import pytest
from facebook_business.adobjects.adasyncrequest import AdAsyncRequest
from facebook_business.adobjects.adasyncrequestset import AdAsyncRequestSet
from hypothesis import given
from hypothesis import strategies as st

from receiver.graph.vocabulary import (
    COUNT_FIELDS,
    REQUEST,
    REQUEST_SET,
    count_field,
    is_final,
    notification_mode,
)

SDK_STATUSES = sorted(
    value
    for name, value in vars(AdAsyncRequest.Statuses).items()
    if not name.startswith("_") and isinstance(value, str)
)
FINAL = {
    "CANCELED",
    "CANCELED_DEPENDENCY",
    "ERROR",
    "ERROR_CONFLICTS",
    "ERROR_DEPENDENCY",
    "SUCCESS",
    "USER_CANCELED",
    "USER_CANCELED_DEPENDENCY",
}


def sdk_fields(node: type) -> set[str]:
    return {value for name, value in vars(node.Field).items() if not name.startswith("_")}  # type: ignore[attr-defined]  # the SDK is untyped


def test_the_sdk_knows_every_field_of_a_set() -> None:
    assert set(REQUEST_SET.fields) <= sdk_fields(AdAsyncRequestSet)
    assert set(COUNT_FIELDS) <= set(REQUEST_SET.other_fields)


def test_the_sdk_knows_every_field_of_a_request() -> None:
    assert set(REQUEST.fields) <= sdk_fields(AdAsyncRequest)


@pytest.mark.parametrize("status", SDK_STATUSES)
def test_every_status_of_the_sdk_is_final_or_open(status: str) -> None:
    assert is_final(status) == (status in FINAL)
    assert is_final(status.lower()) == is_final(status)


@pytest.mark.parametrize(
    ("status", "field"),
    [
        ("initial", "initial_count"),
        ("PENDING_DEPENDENCY", "initial_count"),
        ("In_Progress", "in_progress_count"),
        ("PROCESS_BY_AD_ASYNC_ENGINE", "in_progress_count"),
        ("NEVER_SEEN_BEFORE", "in_progress_count"),
        ("SUCCESS", "success_count"),
        ("ERROR_DEPENDENCY", "error_count"),
        ("USER_CANCELED_DEPENDENCY", "canceled_count"),
    ],
)
def test_every_status_has_its_counter(status: str, field: str) -> None:
    assert count_field(status) == field


@given(st.text())
def test_any_word_has_a_counter_and_a_final_one_is_never_open(status: str) -> None:
    field = count_field(status)
    assert field in COUNT_FIELDS
    assert is_final(status) == (field not in ("initial_count", "in_progress_count"))


@pytest.mark.parametrize(
    ("value", "mode"),
    [
        (0, "OFF"),
        ("0", "OFF"),
        ("off", "OFF"),
        (1, "ON_COMPLETE"),
        (" On_Complete ", "ON_COMPLETE"),
        ("2", None),
        ("", None),
        (None, None),
        (True, None),
        (["OFF"], None),
    ],
)
def test_a_mode_comes_as_word_or_number(value: object, mode: str | None) -> None:
    assert notification_mode(value) == mode
