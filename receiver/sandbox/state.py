"""The sandbox's moving parts together: the world under its lock, the clock, and what is due."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from receiver.sandbox import views
from receiver.sandbox.clock import VirtualClock, utc_now
from receiver.sandbox.notifier import Senders, send_notification
from receiver.sandbox.preset import Preset
from receiver.sandbox.scene import Scene
from receiver.sandbox.world.notification import Attempt
from receiver.sandbox.world.notification_queue import NotificationJob
from receiver.sandbox.world.world import World

_HELD_AT_MOST_SECONDS = 600.0
_OWN_IDS_FROM = 137_000_000_000_000_000
"""No sandbox gives a smaller id, and none of Facebook's own is as large yet."""


def first_id_at(now: datetime) -> int:
    """Return an id that no sandbox started earlier has given: ten million of them a second."""
    return 120_000_000_000_000_000 + int(now.timestamp()) * 10_000_000


class Sandbox:
    """The scene, and the threads that let time pass in it. One lock guards the scene.

    Nothing that waits (a notification, a held call) waits with the lock. ``is_strict`` takes only
    the accounts, ids and tokens that were made here; ``preset`` is how every scene begins.
    """

    def __init__(
        self,
        *,
        app_secret: str | None = None,
        is_strict: bool = False,
        preset: Preset | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.app_secret = app_secret
        self.clock = VirtualClock(clock)
        self._is_strict = is_strict
        self._preset = preset or Preset()
        self._changed = threading.Condition()
        self._gate = threading.Condition()
        self._releases = 0
        self._held = 0
        self._stopping = False
        self._senders = Senders(self.deliver)
        self._scene = self._new_scene(first_id_at(clock()))

    def _new_scene(self, first_id: int) -> Scene:
        world = World(
            first_id=first_id,
            perform=views.perform,
            own_from=_OWN_IDS_FROM,
            is_strict=self._is_strict,
        )
        scene = Scene(world)
        self._preset.apply(scene)
        return scene

    @contextmanager
    def scene(self) -> Iterator[Scene]:
        """Give the scene as it is by now, to one thread at a time."""
        with self._changed:
            scene = self._scene
            scene.world.advance(self.clock())
            due = scene.world.next_due()
            try:
                yield scene
            finally:
                if scene.world.next_due() != due:
                    self._changed.notify()

    def reset(self) -> None:
        """Begin again. Ids go on, so that an old one never names something new."""
        with self._changed:
            self.clock.reset()
            self._scene = self._new_scene(int(self._scene.world.new_id()))
            self._changed.notify()
        self.release()

    def change_clock(self, *, move_seconds: float, frozen: bool | None) -> None:
        """Move the clock, stop it or let it go on; what is due then happens at once.

        Raises ValueError for a move too far.
        """
        with self._changed:
            self.clock.move(move_seconds)
            if frozen is not None and frozen != self.clock.is_frozen:
                (self.clock.freeze if frozen else self.clock.thaw)()
            self._changed.notify()

    def start(self) -> None:
        self._senders.start()
        threading.Thread(target=self._run_clock, name="sandbox-clock", daemon=True).start()

    def stop(self) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._senders.stop()
        self.release()

    def deliver(self, job: NotificationJob) -> None:
        """Send a notification and note what came back."""
        for _ in range(job.times):
            sent_at = self.clock()
            answer = send_notification(job)
            attempt = Attempt(sent_at, job.uri, answer.status, answer.response)
            with self.scene() as scene:
                scene.world.note_attempt(job.request_set, attempt)

    def hold(self) -> None:
        """Wait until somebody releases the held calls, ten minutes at most."""
        with self._gate:
            releases = self._releases
            self._held += 1
            self._gate.wait_for(lambda: self._releases != releases, _HELD_AT_MOST_SECONDS)
            self._held -= 1

    def release(self) -> int:
        """Let the held calls go on; return how many there were."""
        with self._gate:
            self._releases += 1
            self._gate.notify_all()
            return self._held

    def _run_clock(self) -> None:
        while True:
            with self._changed:
                if self._stopping:
                    return
                now = self.clock()
                self._scene.world.advance(now)
                for job in self._scene.world.notifications.take_due(now):
                    self._senders.add(job)
                due = self._scene.world.next_due()
                if due is None or self.clock.is_frozen:
                    self._changed.wait()
                else:
                    self._changed.wait((due - now).total_seconds())


def wait_seconds(seconds: float) -> None:
    """Let a caller wait for its answer."""
    if seconds > 0:
        time.sleep(seconds)
