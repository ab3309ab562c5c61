from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from receiver.cli.interruption import Interrupted, interruptible

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.mark.parametrize("how", SIGNALS)
def test_the_first_signal_is_kept_in_mind_and_the_second_ends_at_once(
    how: signal.Signals, capfd: pytest.CaptureFixture[str]
) -> None:
    before = [signal.getsignal(one) for one in SIGNALS]
    with interruptible(message="It ends soon.") as interruption:
        interruption.check()
        signal.raise_signal(how)
        with pytest.raises(Interrupted):
            interruption.check()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(how)
    assert [signal.getsignal(one) for one in SIGNALS] == before
    assert capfd.readouterr().err.strip() == "It ends soon."


def test_a_pause_ends_as_soon_as_it_is_interrupted() -> None:
    began = time.monotonic()
    with interruptible() as interruption:
        interruption.sleep(0.01)
        press = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT))
        press.start()
        with pytest.raises(Interrupted):
            interruption.sleep(60)
        press.join()
    assert time.monotonic() - began < 5
