"""The lifecycle's steps as a Celery task, in processes of their own. Nothing depends on this file.

A message says that an account has work due, and is believed no further: whoever takes it claims in
SQL what is due, under the same lease as everybody. After one step, what is left of the account goes
to the end of the queue, so that the others have their turn. Messages that come twice, late or never
change nothing but the pace.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
import time
import warnings
from multiprocessing import parent_process
from typing import Any

import structlog
from billiard import pool as process_pool
from celery import Celery, signals
from celery.apps.worker import Worker
from celery.platforms import SecurityWarning
from celery.utils.functional import noop
from celery.utils.log import get_multiprocessing_logger
from celery.worker import state

from receiver import garbage
from receiver.assembly import Parts, build
from receiver.broker.connection import TASK, make_app
from receiver.lifecycle import step
from receiver.logs import configure_logging
from receiver.settings import Settings, secret_values
from receiver.store.database import DatabaseAway
from receiver.store.types import MAX_ID
from receiver.worker.account_shares import AccountShares

log = structlog.get_logger(__name__)

_CALLS_OF_A_STEP = 60
_COLD_EXIT = 1
_DATABASE_PAUSE_SECONDS = 1.0
_NOTICE_SECONDS = 1.0
"""How long a worker that has nothing to do takes at the most to notice that it is to end."""
_UNREAD_TRIES = 10
"""How many tenths of a second a process that is to end waits until its last result is read."""


def run(settings: Settings) -> None:
    """Run a Celery worker until SIGTERM, which lets every process finish its step.

    SIGQUIT ends it at once. It ends by itself when the process that started it has died.
    """
    configure_logging(settings.log_level, secrets=secret_values(settings))
    for name in ("celery.worker.strategy", "celery.app.trace"):
        # Each of them has a line for every message.
        logging.getLogger(name).setLevel(logging.WARNING)
    _end_with_parent()
    _wait_briefly_for_readers()
    app = make_worker_app(settings)
    _add_task(app, settings)
    signals.setup_logging.connect(_leave_logging_alone)
    # Containers run as root, and nothing but JSON is taken from a message.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    worker = _Worker(
        app=app,
        hostname=f"receiver-{os.getpid()}@{socket.gethostname()}",
        concurrency=settings.worker_threads,
        pool="prefork",
        quiet=True,
        # They tell workers of each other: ours share nothing but SQL.
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    worker.start()
    sys.exit(worker.exitcode)


def make_worker_app(settings: Settings) -> Celery:
    """Return Celery's application, and how what comes through the broker is worked off."""
    if settings.broker_url is None:
        raise ValueError("Without RECEIVER_BROKER_URL there is no Celery worker.")
    app = make_app(settings.broker_url.get_secret_value())
    soft_seconds = _CALLS_OF_A_STEP * settings.graph_deadline_seconds
    hard_seconds = soft_seconds + settings.lease_seconds
    app.conf.update(
        # A process that dies takes no message with it, and holds none that another could have.
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        # Each call may take its whole deadline, and a large set takes many: a step that is broken
        # off begins anew. These end only what would never end.
        task_soft_time_limit=soft_seconds,
        task_time_limit=hard_seconds,
        broker_connection_retry=True,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        # Nobody commands a worker through the broker.
        worker_enable_remote_control=False,
    )
    if settings.broker_url.get_secret_value().startswith("redis"):
        # Redis gives out again what nobody has acknowledged by then.
        app.conf.broker_transport_options["visibility_timeout"] = 2 * hard_seconds
    return app


def _add_task(app: Celery, settings: Settings) -> None:
    """Let processes of the worker make their parts after the fork, and work with them."""
    shares = AccountShares(most=max(1, settings.worker_threads // 2))
    process: list[Parts] = []

    def begin(**_: Any) -> None:
        garbage.search_seldom()
        process.append(build(settings, wait=_wait))

    def end(**_: Any) -> None:
        process.pop().close()

    # Celery refers to them weakly, unless told otherwise.
    signals.worker_process_init.connect(begin, weak=False)
    signals.worker_process_shutdown.connect(end, weak=False)

    def work(account_id: Any = None, *_: Any, **__: Any) -> None:
        work_for(process[0], account_id, shares=shares)

    app.task(work, name=TASK, typing=False)


def work_for(parts: Parts, account_id: Any, *, shares: AccountShares) -> None:
    """Take one step for an account, and wake the next process where there was one to take.

    Where half of the processes are at it already, those go on without this one.
    """
    if not isinstance(account_id, int) or not 0 < account_id <= MAX_ID:
        return
    with shares.place(account_id) as has_place:
        if not has_place:
            return
        try:
            if step.advance(parts.tools, account_id=account_id):
                parts.wake(account_id)
        except DatabaseAway as away:
            log.warning("The database is away: a sweep comes back to it", reason=str(away))
            # The queue may be full: each of its messages would only find that out again.
            time.sleep(_DATABASE_PAUSE_SECONDS)


def _wait(seconds: float) -> bool:
    """Wait for a database that is away: Celery tells a process only between tasks to end."""
    time.sleep(seconds)
    return True


def _leave_logging_alone(**_: Any) -> None:
    """Keep Celery from writing its own lines, in which nothing is hidden."""
    # Of processes that died it tells through a logger that keeps itself apart from all others.
    get_multiprocessing_logger().propagate = True


def _wait_briefly_for_readers() -> None:
    """Keep a process that is to end from waiting half a minute for nobody.

    A worker that is told to end forgets messages that no process has said yet to have begun. Where
    one is worked off all the same, nobody reads its result: it costs nothing, as the broker gives
    the message out again. There is no setting for it.
    """
    process_pool.GUARANTEE_MESSAGE_CONSUMPTION_RETRY_LIMIT = _UNREAD_TRIES


def _end_with_parent() -> None:
    """End as on SIGTERM once the process that started this one is gone, however it went."""
    parent = parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="parent", daemon=True).start()


class _Worker(Worker):  # type: ignore[misc]  # Celery ships no types
    """Celery's worker, ended by the process that started it."""

    def install_platform_tweaks(self, _worker: object) -> None:
        """Listen to signals. Celery's own way writes to standard output, and restarts at SIGHUP."""
        signal.signal(signal.SIGTERM, _stop)
        signal.signal(signal.SIGQUIT, _terminate)
        # Ctrl-C reaches the process that started this one, too, which passes it on.
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def on_consumer_ready(self, consumer: object) -> None:
        """Say that messages are taken from now on."""
        super().on_consumer_ready(consumer)
        # No signal wakes Celery's own loop: it looks whether it is to end before it sleeps again.
        self.hub.call_repeatedly(_NOTICE_SECONDS, noop)
        log.info("The Celery worker runs", processes=self.concurrency)


def _stop(*_: object) -> None:
    state.should_stop = os.EX_OK


def _terminate(*_: object) -> None:
    # While Celery waits for the last steps, it looks at nothing that could be set here. What is
    # left behind ends as after SIGKILL.
    os._exit(_COLD_EXIT)
