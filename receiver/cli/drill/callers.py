"""The programs that create sets through the receiver, and ask again until they know."""

from __future__ import annotations

import random
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import requests

from receiver.cli.drill.audit import Heard
from receiver.cli.drill.stage import ACCOUNTS, PATIENCE_SECONDS, Stage

_THREADS = 6
_PAUSE_SECONDS = (0.3, 1.5)
_AGAIN_SECONDS = 2.0
_ASKED_AGAIN = 3
_OK = 200


@dataclass
class _Create:
    """One create: its caller sends it under the same key until it hears what became of it."""

    account: str
    name: str
    ads: int
    key: str
    facebook_id: str | None = None
    last_answer: str = "none"


class Callers:
    """Threads that create sets. What they were told last is what the audit holds them to."""

    def __init__(self, stage: Stage, *, seed: int) -> None:
        self._stage = stage
        self._stopping = threading.Event()
        self._creates: list[_Create] = []
        self._adding = threading.Lock()
        self._threads = [
            threading.Thread(target=self._call, args=(number, random.Random(seed + number)))  # noqa: S311  # to come back the same
            for number in range(_THREADS)
        ]

    @property
    def created(self) -> int:
        """How many sets were asked for."""
        return len(self._creates)

    @property
    def waiting(self) -> int:
        """How many of them have no answer yet."""
        return sum(create.facebook_id is None for create in self._creates)

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop_creating(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def settle(self) -> None:
        """Ask for every create without an answer until it has one, or patience ends."""
        ends = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < ends:
            waiting = [create for create in self._creates if create.facebook_id is None]
            if not waiting:
                return
            # A set that is created now is a witness for what was lost before.
            self._stage.create_witnesses()
            with ThreadPoolExecutor(_THREADS) as pool:
                list(pool.map(self._ask, waiting))
            time.sleep(_AGAIN_SECONDS)

    def heard(self) -> list[Heard]:
        """What each caller was told."""
        return [
            Heard(create.name, create.facebook_id, create.last_answer) for create in self._creates
        ]

    def _call(self, number: int, draws: random.Random) -> None:
        account = ACCOUNTS[number % len(ACCOUNTS)]
        mine: list[_Create] = []
        while not self._stopping.wait(draws.uniform(*_PAUSE_SECONDS)):
            create = _Create(
                account,
                name=f"set {uuid.UUID(int=draws.getrandbits(128)).hex}",
                ads=draws.randint(1, 12),
                key=uuid.UUID(int=draws.getrandbits(128)).hex,
            )
            with self._adding:
                self._creates.append(create)
            mine.append(create)
            self._stage.behave(account, draws)
            self._ask(create)
            self._ask_again(mine, draws)

    def _ask_again(self, mine: list[_Create], draws: random.Random) -> None:
        """Ask once more for what is not known, as impatient programs do."""
        waiting = [create for create in mine if create.facebook_id is None]
        for create in draws.sample(waiting, min(len(waiting), _ASKED_AGAIN)):
            self._ask(create)

    def _ask(self, create: _Create) -> None:
        try:
            answer = self._stage.create(
                create.account, name=create.name, ads=create.ads, key=create.key
            )
        except requests.RequestException as error:
            create.last_answer = type(error).__name__
            return
        create.last_answer = f"{answer.status_code}: {answer.text[:300]}"
        if answer.status_code == _OK:
            create.facebook_id = answer.json()["id"]
