"""How a view reaches the parts of its process."""

from __future__ import annotations

import threading
from typing import cast

from flask import Flask, current_app

from receiver.assembly import Parts
from receiver.lifecycle import figures as reading_figures
from receiver.lifecycle.figures import Figures
from receiver.lifecycle.readiness import Readiness, check
from receiver.store.inbox.inbox import Inbox
from receiver.web.export_slots import ExportSlots
from receiver.web.gates import AccountGates
from receiver.web.key_uses import KeyUses
from receiver.web.readers import Readers
from receiver.web.shared_reading import SharedReading
from receiver.web.sign_in_attempts import SignInAttempts
from receiver.web.slots import OutgoingSlots

_NAME = "receiver"
_SLOTS = "receiver.outgoing_slots"
_READERS = "receiver.readers"
_GATES = "receiver.batch_gates"
_KEY_USES = "receiver.key_uses"
_SIGN_INS = "receiver.sign_in_attempts"
_EXPORTS = "receiver.export_slots"
_SIGN_IN_READERS = "receiver.sign_in_readers"
_READINESS = "receiver.readiness"
_FIGURES = "receiver.figures"
_WAITING_MESSAGES = "receiver.waiting_messages"

_EXPORTS_MOST = 2
_SIGN_IN_READERS_MOST = 4
_READINESS_KEPT_SECONDS = 1.0
_FIGURES_KEPT_SECONDS = 5.0
_WAITING_MESSAGES_KEPT_SECONDS = 5.0


def attach(app: Flask, parts: Parts) -> None:
    """Give an application its parts, and the outgoing calls of its process their slots."""
    app.extensions[_NAME] = parts
    app.extensions[_SLOTS] = OutgoingSlots(threads=parts.settings.web_threads)
    app.extensions[_KEY_USES] = KeyUses()
    app.extensions[_SIGN_INS] = SignInAttempts()
    app.extensions[_SIGN_IN_READERS] = threading.BoundedSemaphore(_SIGN_IN_READERS_MOST)
    app.extensions[_EXPORTS] = ExportSlots(most=_EXPORTS_MOST)
    app.extensions[_READERS] = Readers(threads=parts.settings.web_threads)
    app.extensions[_GATES] = AccountGates(most=parts.settings.batch_threads_per_account)
    app.extensions[_READINESS] = SharedReading(
        lambda: check(parts.database, now=parts.now()), kept_seconds=_READINESS_KEPT_SECONDS
    )
    app.extensions[_FIGURES] = SharedReading(
        lambda: reading_figures.read(parts.database, now=parts.now()),
        kept_seconds=_FIGURES_KEPT_SECONDS,
    )
    app.extensions[_WAITING_MESSAGES] = (
        None
        if parts.broker is None
        else SharedReading(parts.broker.count_waiting, kept_seconds=_WAITING_MESSAGES_KEPT_SECONDS)
    )


def key_uses() -> KeyUses:
    """Return which uses of keys this process has written."""
    return cast("KeyUses", current_app.extensions[_KEY_USES])


def export_slots() -> ExportSlots:
    """Return the slots of the exports of this process: each holds a thread until its last row."""
    return cast("ExportSlots", current_app.extensions[_EXPORTS])


def sign_in_readers() -> threading.BoundedSemaphore:
    """Return the slots of strangers whose form is being read in this process."""
    return cast("threading.BoundedSemaphore", current_app.extensions[_SIGN_IN_READERS])


def sign_in_attempts() -> SignInAttempts:
    """Return who tried in vain to sign in at this process."""
    return cast("SignInAttempts", current_app.extensions[_SIGN_INS])


def detach(app: Flask) -> None:
    """Wait for what an application still does in threads of its own."""
    readers_of(app).close()


def parts_of(app: Flask) -> Parts:
    """Return the parts of an application."""
    return cast("Parts", app.extensions[_NAME])


def inbox_of(application: object) -> Inbox | None:
    """Return where a WSGI application keeps notifications; None for one that is not ours."""
    parts: Parts | None = getattr(application, "extensions", {}).get(_NAME)
    return None if parts is None else parts.inbox


def parts() -> Parts:
    """Return the parts of the application that serves this request."""
    return parts_of(current_app)


def outgoing_slots() -> OutgoingSlots:
    """Return the slots of the calls that wait for Facebook in this process."""
    return cast("OutgoingSlots", current_app.extensions[_SLOTS])


def readers_of(app: Flask) -> Readers:
    """Return the threads that look at Facebook for an application's callers."""
    return cast("Readers", app.extensions[_READERS])


def readers() -> Readers:
    """Return the threads that look at Facebook for the callers of this process."""
    return readers_of(current_app)


def batch_gates() -> AccountGates:
    """Return the gates of the calls that this process makes for batches."""
    return cast("AccountGates", current_app.extensions[_GATES])


def readiness() -> SharedReading[Readiness]:
    """Return what was last found out about this process and the worker."""
    return cast("SharedReading[Readiness]", current_app.extensions[_READINESS])


def figures() -> SharedReading[Figures]:
    """Return what SQL last said of the whole receiver."""
    return cast("SharedReading[Figures]", current_app.extensions[_FIGURES])


def waiting_messages() -> SharedReading[int] | None:
    """Return how many messages the broker last held that no worker had taken; None without one."""
    return cast("SharedReading[int] | None", current_app.extensions[_WAITING_MESSAGES])
