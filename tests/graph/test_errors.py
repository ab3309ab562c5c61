from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.graph.errors import (
    TABLE,
    Advice,
    CallFailed,
    GraphError,
    NoAnswer,
    NotSent,
    UnreadableAnswer,
    advice,
    find_row,
    outcome_is_unknown,
)


def error_with(
    code: int | None, subcode: int | None = None, *, http_status: int = 400
) -> GraphError:
    return GraphError("No.", http_status=http_status, code=code, subcode=subcode)


@pytest.mark.parametrize(
    ("code", "subcode", "expected"),
    [
        (1, None, Advice.RETRY),
        (1, 99, Advice.RETRY),
        (2, None, Advice.RETRY),
        (3, None, Advice.ASK_A_PERSON),
        (4, None, Advice.WAIT),
        (4, 1504022, Advice.WAIT),
        (10, None, Advice.ASK_A_PERSON),
        (17, None, Advice.WAIT),
        (17, 2446079, Advice.WAIT),
        (17, 1885172, Advice.NEVER_REPEAT),
        (32, None, Advice.WAIT),
        (100, None, Advice.NEVER_REPEAT),
        (100, 33, Advice.NEVER_REPEAT),
        (100, 1487390, Advice.RETRY),
        (100, 1487901, Advice.NEVER_REPEAT),
        (102, None, Advice.ASK_A_PERSON),
        (104, None, Advice.NEVER_REPEAT),
        (105, None, Advice.NEVER_REPEAT),
        (190, None, Advice.ASK_A_PERSON),
        (190, 463, Advice.ASK_A_PERSON),
        (194, None, Advice.NEVER_REPEAT),
        (200, None, Advice.ASK_A_PERSON),
        (294, None, Advice.ASK_A_PERSON),
        (299, None, Advice.ASK_A_PERSON),
        (300, None, Advice.NEVER_REPEAT),
        (341, None, Advice.WAIT),
        (368, 1390008, Advice.ASK_A_PERSON),
        (463, None, Advice.ASK_A_PERSON),
        (506, None, Advice.NEVER_REPEAT),
        (613, None, Advice.WAIT),
        (613, 1487742, Advice.WAIT),
        (613, 5044001, Advice.WAIT),
        (613, 1996, Advice.WAIT),
        (613, 1487632, Advice.NEVER_REPEAT),
        (613, 1487225, Advice.NEVER_REPEAT),
        (803, None, Advice.NEVER_REPEAT),
        (960, None, Advice.RETRY),
        (2500, None, Advice.NEVER_REPEAT),
        (2601, 1815107, Advice.RETRY),
        (2601, None, Advice.NEVER_REPEAT),
        (2635, None, Advice.ASK_A_PERSON),
        (80000, None, Advice.WAIT),
        (80004, 2446079, Advice.WAIT),
        (80014, None, Advice.WAIT),
        (80015, None, Advice.NEVER_REPEAT),
        (1487390, None, Advice.RETRY),
        (1487901, None, Advice.NEVER_REPEAT),
        (1870034, None, Advice.NEVER_REPEAT),
        (1885183, None, Advice.NEVER_REPEAT),
    ],
)
def test_a_code_asks_for_what_the_facts_say(
    code: int, subcode: int | None, expected: Advice
) -> None:
    assert error_with(code, subcode).advice is expected


@pytest.mark.parametrize("code", [None, 5, 999_999])
def test_an_unknown_code_is_repeated_only_where_facebook_has_trouble_of_its_own(
    code: int | None,
) -> None:
    assert advice(code, None, is_transient=False, http_status=400) is Advice.NEVER_REPEAT
    assert advice(code, None, is_transient=True, http_status=400) is Advice.RETRY
    assert advice(code, None, is_transient=False, http_status=503) is Advice.RETRY


def test_a_known_code_is_not_overruled_by_its_status_or_by_is_transient() -> None:
    assert advice(190, None, is_transient=True, http_status=500) is Advice.ASK_A_PERSON
    assert advice(80004, None, is_transient=True, http_status=500) is Advice.WAIT


def test_every_row_is_reached_and_says_what_it_means() -> None:
    subcodes = (None, 33, 1487225, 1487390, 1487632, 1815107, 1885172)
    codes = (*range(3000), *range(80000, 80100), *range(1_487_000, 1_886_000, 390), 1885000)
    reached = {id(find_row(code, subcode)) for code in codes for subcode in subcodes}
    assert all(id(row) in reached for row in TABLE)
    assert all(row.meaning for row in TABLE)


def test_an_error_says_what_its_code_means() -> None:
    assert error_with(190).meaning == "The access token is no longer valid"
    assert error_with(999_999).meaning is None


@pytest.mark.parametrize(
    "error",
    [
        NoAnswer("Sent, and no answer."),
        UnreadableAnswer("The answer is no JSON", http_status=200),
        UnreadableAnswer("The answer is no JSON", http_status=502),
        error_with(1),
        error_with(2),
        error_with(960),
        error_with(None),
        error_with(100, http_status=500),
        error_with(80004, http_status=503),
    ],
)
def test_a_create_that_failed_like_this_may_exist(error: CallFailed) -> None:
    assert outcome_is_unknown(error)


@pytest.mark.parametrize(
    "error",
    [
        NotSent("Nothing was sent."),
        error_with(100),
        error_with(190, 463),
        error_with(200, http_status=403),
        error_with(613, 1487225),
        error_with(80004, 2446079),
        error_with(999_999),
    ],
)
def test_a_create_that_failed_like_this_does_not_exist(error: CallFailed) -> None:
    assert not outcome_is_unknown(error)


@given(
    code=st.none() | st.integers(),
    subcode=st.none() | st.integers(),
    is_transient=st.booleans(),
    http_status=st.integers(min_value=200, max_value=599),
)
def test_every_error_gets_advice(
    *, code: int | None, subcode: int | None, is_transient: bool, http_status: int
) -> None:
    assert advice(code, subcode, is_transient=is_transient, http_status=http_status) in Advice


def test_an_error_reads_as_a_sentence_and_shows_its_codes() -> None:
    assert str(error_with(190, 463)) == "No. (code 190/463, HTTP 400)"
    assert str(error_with(None)) == "No. (no code, HTTP 400)"
