"""How a view reaches the parts of its process."""

from __future__ import annotations

from typing import cast

from flask import Flask, current_app

from receiver.assembly import Parts
from receiver.web.gates import AccountGates
from receiver.web.key_uses import KeyUses
from receiver.web.readers import Readers
from receiver.web.sign_in_attempts import SignInAttempts
from receiver.web.slots import OutgoingSlots

_NAME = "receiver"
_SLOTS = "receiver.outgoing_slots"
_READERS = "receiver.readers"
_GATES = "receiver.batch_gates"
_KEY_USES = "receiver.key_uses"
_SIGN_INS = "receiver.sign_in_attempts"


def attach(app: Flask, parts: Parts) -> None:
    """Give an application its parts, and the outgoing calls of its process their slots."""
    app.extensions[_NAME] = parts
    app.extensions[_SLOTS] = OutgoingSlots(threads=parts.settings.web_threads)
    app.extensions[_KEY_USES] = KeyUses()
    app.extensions[_SIGN_INS] = SignInAttempts()
    app.extensions[_READERS] = Readers(threads=parts.settings.web_threads)
    app.extensions[_GATES] = AccountGates(most=parts.settings.batch_threads_per_account)


def key_uses() -> KeyUses:
    """Return which uses of keys this process has written."""
    return cast("KeyUses", current_app.extensions[_KEY_USES])


def sign_in_attempts() -> SignInAttempts:
    """Return who tried in vain to sign in at this process."""
    return cast("SignInAttempts", current_app.extensions[_SIGN_INS])


def detach(app: Flask) -> None:
    """Wait for what an application still does in threads of its own."""
    cast("Readers", app.extensions[_READERS]).close()


def parts() -> Parts:
    """Return the parts of the application that serves this request."""
    return cast("Parts", current_app.extensions[_NAME])


def outgoing_slots() -> OutgoingSlots:
    """Return the slots of the calls that wait for Facebook in this process."""
    return cast("OutgoingSlots", current_app.extensions[_SLOTS])


def readers() -> Readers:
    """Return the threads that look at Facebook for the callers of this process."""
    return cast("Readers", current_app.extensions[_READERS])


def batch_gates() -> AccountGates:
    """Return the gates of the calls that this process makes for batches."""
    return cast("AccountGates", current_app.extensions[_GATES])
