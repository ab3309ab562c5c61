"""A connection to the broker: the one kind of message that is sent, and whether anybody answers.

A message says "this account has work due" and nothing else. One that is lost or comes twice costs
nothing but time. Celery makes the messages and knows the brokers; it is imported only where there
is one.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from celery import Celery

ResultT = TypeVar("ResultT")

QUEUE = "receiver"
TASK = "receiver.work"

MOST_MESSAGES = 1000
"""So many keep every worker busy: more would only wait, and fill the broker where nobody works."""

CONNECT_TIMEOUT_SECONDS = 1.0
SOCKET_TIMEOUT_SECONDS = 2.0


class BrokerAway(Exception):
    """The broker cannot be reached, refuses us, or does not answer in time."""


def make_app(url: str) -> Celery:
    """Return Celery's application for a broker; nothing is opened before it is used.

    Every wait is short and nothing is tried again: whoever sends has better things to do.
    """
    from celery import Celery  # noqa: PLC0415  # an extra, imported only where it is used

    app = Celery("receiver", broker=url, set_as_current=False)
    # Named, or variables of Celery's own would go before our setting.
    app.connection_for_read = partial(app.connection_for_read, url)
    app.connection_for_write = partial(app.connection_for_write, url)
    app.conf.update(
        # By themselves, both transports believe any certificate.
        broker_use_ssl=_tls(url),
        broker_connection_timeout=CONNECT_TIMEOUT_SECONDS,
        broker_transport_options=_transport_options(url),
        task_default_queue=QUEUE,
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
    )
    return app


def _tls(url: str) -> dict[str, Any] | None:
    scheme = url.partition(":")[0]
    if scheme == "rediss":
        return {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True}
    if scheme == "amqps":
        # Without a name, the host of the URL is meant.
        return {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": None}
    return None


def _transport_options(url: str) -> dict[str, Any]:
    if url.startswith("redis"):
        return {
            "max_retries": 0,
            "socket_connect_timeout": CONNECT_TIMEOUT_SECONDS,
            "socket_timeout": SOCKET_TIMEOUT_SECONDS,
            "socket_keepalive": True,
        }
    return {
        "max_retries": 0,
        "read_timeout": SOCKET_TIMEOUT_SECONDS,
        "write_timeout": SOCKET_TIMEOUT_SECONDS,
        # Without its answer, a broker that vanished would take messages for minutes.
        "confirm_publish": True,
    }


class Broker:
    """One connection, for threads that take turns. Make it after a fork."""

    def __init__(self, url: str) -> None:
        """Open nothing yet: the first use connects."""
        self._url = url
        self._turn = threading.Lock()
        self._app: Celery | None = None
        self._producer: Any = None

    def send(self, account_id: int) -> None:
        """Tell the workers that an account has work due. Raises BrokerAway."""
        self._use(
            lambda app, producer: app.send_task(
                TASK, args=[account_id], producer=producer, retry=False
            )
        )

    def count_waiting(self) -> int:
        """Return how many messages no worker has taken yet. Raises BrokerAway."""
        return self._use(_count_waiting)

    def has_room(self) -> bool:
        """Tell whether one message more is worth sending. Raises BrokerAway."""
        return self.count_waiting() < MOST_MESSAGES

    def close(self) -> None:
        """Close the connection."""
        with self._turn:
            self._disconnect()

    def _use(self, do: Callable[[Any, Any], ResultT]) -> ResultT:
        with self._turn:
            if self._producer is not None:
                # A connection that was idle may have died of it long ago: that is found out here.
                with suppress(BrokerAway):
                    return self._try(do)
            return self._try(do)

    def _try(self, do: Callable[[Any, Any], ResultT]) -> ResultT:
        try:
            if self._producer is None:
                self._connect()
            return do(self._app, self._producer)
        # Two transports and their libraries have dozens of ways to fail, and all mean the same.
        except Exception as error:
            self._disconnect()
            raise BrokerAway(str(error) or type(error).__name__) from error

    def _connect(self) -> None:
        self._app = self._app or make_app(self._url)
        self._producer = self._app.amqp.Producer(self._app.connection_for_write())

    def _disconnect(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            with suppress(Exception):  # it is of no use any more, however it ends
                producer.connection.release()


def _count_waiting(app: Any, producer: Any) -> int:
    """Declare the queue, as whoever sends does; its answer tells how long it is."""
    found: int = app.amqp.queues[QUEUE](producer.channel).queue_declare().message_count
    return found
