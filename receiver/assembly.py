"""Build the parts of a process from its settings: for web, worker and commands alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from receiver.broker.connection import Broker
from receiver.broker.waker import Waker
from receiver.crypto import Keys
from receiver.delivery.sender import Sender
from receiver.graph.client import GraphClient
from receiver.lifecycle.plan import Pace
from receiver.lifecycle.shares import Shares
from receiver.lifecycle.tools import Tools, have_no_time, wake_nobody
from receiver.settings import Settings
from receiver.store.database import Database
from receiver.store.inbox.inbox import Inbox


@dataclass(frozen=True)
class Parts:
    """What a process works with. Make it after a fork: connections must not cross one."""

    settings: Settings
    database: Database
    keys: Keys
    tools: Tools
    inbox: Inbox
    now: Callable[[], datetime]
    broker: Broker | None = None
    """For whoever examines the broker; None where there is none."""
    waker: Waker | None = None

    def wake(self, account_id: int) -> None:
        """Tell the workers that an account has work due; without a broker, do nothing.

        Nobody waits for it, and it raises nothing.
        """
        self.tools.wake(account_id)

    def close(self) -> None:
        """Close every connection."""
        if self.waker is not None:
            self.waker.close()
        if self.broker is not None:
            self.broker.close()
        self.tools.client.close()
        self.inbox.close()
        self.database.close()


def utc_now() -> datetime:
    """Read the clock. Only the top floors do; they hand the moment down."""
    return datetime.now(UTC)


def build(
    settings: Settings,
    *,
    now: Callable[[], datetime] = utc_now,
    wait: Callable[[float], bool] = have_no_time,
) -> Parts:
    """Make the parts; nothing is opened before it is used.

    ``wait`` is for a process that has time for a database that is away (``Tools.wait``).
    """
    database = Database(
        settings.database_url.get_secret_value(),
        timeout_seconds=settings.database_timeout_seconds,
        pool_size=settings.database_pool_size,
    )
    keys = Keys([key.get_secret_value() for key in settings.secret_keys])
    client = GraphClient(
        settings.graph_url,
        version=settings.graph_version,
        connect_timeout_seconds=settings.graph_connect_timeout_seconds,
        read_timeout_seconds=settings.graph_read_timeout_seconds,
        deadline_seconds=settings.graph_deadline_seconds,
        stream_limit_bytes=settings.upload_limit_bytes,
    )
    broker_url = None if settings.broker_url is None else settings.broker_url.get_secret_value()
    # Whoever examines the broker holds its connection meanwhile, and wakes must not wait for that.
    waker = None if broker_url is None else Waker(Broker(broker_url))
    tools = Tools(
        database=database,
        client=client,
        keys=keys,
        pace=_pace(settings),
        public_url=settings.public_url,
        sender=_sender(settings),
        delivery_retry_seconds=settings.delivery_retry_seconds,
        now=now,
        wait=wait,
        wake=wake_nobody if waker is None else waker.wake,
        shares=Shares(
            poll_percent=settings.poll_limit_percent,
            collect_percent=settings.collect_limit_percent,
            create_percent=settings.create_limit_percent,
        ),
        kept_for=timedelta(days=settings.retention_days) if settings.retention_days else None,
    )
    return Parts(
        settings=settings,
        database=database,
        keys=keys,
        tools=tools,
        inbox=Inbox(database),
        now=now,
        broker=None if broker_url is None else Broker(broker_url),
        waker=waker,
    )


def _sender(settings: Settings) -> Sender:
    return Sender(
        timeout_seconds=settings.delivery_timeout_seconds,
        allow_private_addresses=settings.delivery_allow_private_addresses,
    )


def _pace(settings: Settings) -> Pace:
    return Pace(
        send_before_seconds=settings.send_before_seconds,
        call_deadline_seconds=settings.graph_deadline_seconds,
        lease_seconds=settings.lease_seconds,
        first_look_seconds=settings.first_look_seconds,
        look_interval_min_seconds=settings.look_interval_min_seconds,
        look_interval_max_seconds=settings.look_interval_max_seconds,
        notification_grace_seconds=settings.notification_grace_seconds,
        deadline_min_seconds=settings.deadline_min_seconds,
        deadline_max_seconds=settings.deadline_max_seconds,
        settle_seconds=settings.settle_seconds,
        needs_witness=not settings.resend_without_witness,
    )
