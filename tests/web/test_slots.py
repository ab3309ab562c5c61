from __future__ import annotations

from contextlib import ExitStack

import pytest

from receiver.web.slots import NoSlot, OutgoingSlots


def test_a_quarter_of_the_threads_may_wait_for_one_account_and_half_for_all() -> None:
    slots = OutgoingSlots(threads=8)
    with ExitStack() as stack:
        for account_id in (1, 1, 2, 2):
            stack.enter_context(slots.slot(account_id))
        with pytest.raises(NoSlot), slots.slot(3):
            pass


def test_an_account_that_takes_its_share_leaves_the_others_theirs() -> None:
    slots = OutgoingSlots(threads=8)
    with slots.slot(1), slots.slot(1):
        with pytest.raises(NoSlot), slots.slot(1):
            pass
        with slots.slot(2):
            pass


def test_a_slot_is_free_again_whatever_happened_in_it() -> None:
    slots = OutgoingSlots(threads=4)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), slots.slot(1):
            raise ZeroDivisionError


def test_even_four_threads_leave_a_create_its_slot() -> None:
    slots = OutgoingSlots(threads=4)
    with slots.slot(1), slots.slot(2), pytest.raises(NoSlot), slots.slot(3):
        pass
