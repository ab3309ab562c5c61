from __future__ import annotations

from datetime import UTC, datetime

import pytest

from receiver.lifecycle.words import STATES, state_in_words
from receiver.store import intents

A_MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("state", intents.STATES)
def test_every_state_is_told_in_words(state: str) -> None:
    assert state_in_words(state, abandoned_at=None) == STATES[state]


def test_what_a_person_gave_up_was_not_refused_by_facebook() -> None:
    given_up = state_in_words(intents.REJECTED, abandoned_at=A_MOMENT)
    assert given_up == "A person gave it up: it is never sent again."


def test_what_was_given_up_and_found_after_all_is_told_as_it_stands() -> None:
    found = state_in_words(intents.OPEN, abandoned_at=A_MOMENT)
    assert found == STATES[intents.OPEN]
