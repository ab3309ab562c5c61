from __future__ import annotations

import signal

import pytest

from receiver.cli.ending import ending_in_order


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP])
def test_what_ends_the_demo_ends_it_once_and_does_not_disturb_its_ending(
    how: signal.Signals,
) -> None:
    endings = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(one) for one in endings]
    with ending_in_order():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(how)
        for one in endings:
            signal.raise_signal(one)
    assert [signal.getsignal(one) for one in endings] == before
