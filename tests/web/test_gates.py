"""So many calls at a time for the batches of one account, whoever sends them."""

from __future__ import annotations

import threading
import time

from receiver.web.gates import AccountGates


def test_no_more_than_may_are_let_through_and_another_account_has_its_own_gate() -> None:
    gates = AccountGates(most=2)
    lock = threading.Lock()
    inside = {1: 0, 2: 0}
    highest = {1: 0, 2: 0}

    def call(account_id: int) -> None:
        with gates.through(account_id):
            with lock:
                inside[account_id] += 1
                highest[account_id] = max(highest[account_id], inside[account_id])
            time.sleep(0.02)
            with lock:
                inside[account_id] -= 1

    threads = [threading.Thread(target=call, args=(1 + number % 2,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert highest == {1: 2, 2: 2}
    assert inside == {1: 0, 2: 0}
