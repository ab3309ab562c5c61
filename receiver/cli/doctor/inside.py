"""Examine what stands behind the service: database, tables, secret keys, worker, broker."""

from __future__ import annotations

import secrets
import time

from receiver import secret_keys
from receiver.assembly import Parts
from receiver.broker.connection import BrokerAway
from receiver.cli.doctor.finding import Finding, Step, failed, skipped, warning, well
from receiver.lifecycle.readiness import TIMEOUT_SECONDS, heartbeat_age, is_recent
from receiver.secret_keys import SecretKeyMissing
from receiver.settings import has_weak_password
from receiver.store import heartbeats, migrate
from receiver.store.database import DatabaseAway
from receiver.store.migrate import SchemaOutdated

_DATABASE, _TABLES, _WRITES = "database", "migrations", "database writes"
_PASSWORD, _KEYS, _WORKER = "database password", "secret keys", "worker"
_BROKER = "broker"
_NEEDS_TABLES = "Not examined: it needs the database with its tables."


class Inside:
    """The steps, of which the later ones need that the first went well."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.has_tables = False
        """Whether the steps that were taken found the database with its tables."""

    def steps(self) -> list[Step]:
        """Return what is to be examined, in its order."""
        return [
            Step(_DATABASE, self._examine_tables),
            Step(_WRITES, self._examine_writes),
            Step(_PASSWORD, self._examine_password),
            Step(_KEYS, self._examine_keys),
            Step(_WORKER, self._examine_worker),
            Step(_BROKER, self._examine_broker),
        ]

    def _examine_tables(self) -> list[Finding]:
        began = time.monotonic()
        try:
            with self._parts.database.probing(timeout_seconds=TIMEOUT_SECONDS) as session:
                revision = migrate.check_within(session)
        except DatabaseAway as away:
            advice = "Check RECEIVER_DATABASE_URL, and that the database runs and lets us in."
            return [failed(_DATABASE, f"It is away: {away}.", advice=advice)]
        except SchemaOutdated as outdated:
            tables = failed(_TABLES, str(outdated), advice="Run 'receiver db upgrade'.")
            return [self._reached(began), tables]
        self.has_tables = True
        return [self._reached(began), well(_TABLES, f"The tables are at revision {revision}.")]

    def _reached(self, began: float) -> Finding:
        milliseconds = (time.monotonic() - began) * 1000
        return well(_DATABASE, f"It answers in {milliseconds:.0f} ms.")

    def _examine_writes(self) -> list[Finding]:
        """Write a row and take it away again, in one transaction that nobody else sees."""
        if not self.has_tables:
            return [skipped(_WRITES, _NEEDS_TABLES)]
        worker_id, now = f"doctor-{secrets.token_hex(4)}", self._parts.now()
        began = time.monotonic()
        try:
            with self._parts.database.writing() as session:
                heartbeats.beat(session, worker_id, started_at=now, now=now)
                session.flush()
                heartbeats.end(session, worker_id)
        except DatabaseAway as away:
            advice = (
                "See who holds a lock, whether the disk is full, and whether its user may write."
            )
            return [failed(_WRITES, f"Nothing can be written: {away}.", advice=advice)]
        milliseconds = (time.monotonic() - began) * 1000
        return [well(_WRITES, f"A row was written in {milliseconds:.0f} ms.")]

    def _examine_password(self) -> list[Finding]:
        if not has_weak_password(self._parts.settings):
            return []
        found = (
            "It is short or of one kind of characters, so logs and pages are not searched for it."
        )
        advice = "Give the database's user a random password of at least 12 characters."
        return [warning(_PASSWORD, found, advice=advice)]

    def _examine_keys(self) -> list[Finding]:
        if not self.has_tables:
            return [skipped(_KEYS, _NEEDS_TABLES)]
        try:
            secret_keys.check(self._parts.database, self._parts.keys)
        except SecretKeyMissing as missing:
            return [failed(_KEYS, str(missing), advice="Put the key back, and restart.")]
        return [well(_KEYS, "Every key that something needs is there.")]

    def _examine_worker(self) -> list[Finding]:
        if not self.has_tables:
            return [skipped(_WORKER, _NEEDS_TABLES)]
        with self._parts.database.reading() as session:
            age = heartbeat_age(session, now=self._parts.now())
        if is_recent(age):
            return [well(_WORKER, "A worker is alive.")]
        last = "" if age is None else f" The last one was alive {age.total_seconds():.0f} s ago."
        advice = (
            "Start 'receiver worker', or read its log: without it nothing is collected. One that "
            "runs counts as dead where its clock is more than 30 seconds ahead of this one."
        )
        return [failed(_WORKER, f"No worker is alive.{last}", advice=advice)]

    def _examine_broker(self) -> list[Finding]:
        """Ask the broker, where one is set."""
        if self._parts.broker is None:
            return []
        try:
            waiting = self._parts.broker.count_waiting()
        except BrokerAway as away:
            advice = (
                "Check RECEIVER_BROKER_URL, and that the broker runs and lets us in. Until then "
                "the workers find what is due by themselves, some seconds later."
            )
            return [failed(_BROKER, f"It is away: {away}.", advice=advice)]
        messages = "1 message waits" if waiting == 1 else f"{waiting} messages wait"
        return [well(_BROKER, f"It answers; {messages}.")]
