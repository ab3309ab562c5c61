"""What the steps work with."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from receiver.crypto import Keys
from receiver.delivery.sender import Sender
from receiver.graph.client import Credential, GraphClient
from receiver.lifecycle.call_sizes import CallSizes
from receiver.lifecycle.plan import Pace
from receiver.lifecycle.shares import Shares
from receiver.store import accounts
from receiver.store.database import Database


def wake_nobody(_account_id: int) -> None:
    """Wake nobody: without a broker the workers find by themselves what is due."""


def have_no_time(_seconds: float) -> bool:
    """Wait for nothing: somebody waits for this process, or it is about to end."""
    return False


@dataclass(frozen=True)
class Tools:
    """The parts of one process that the steps share; the assembly makes them once."""

    database: Database
    client: GraphClient
    keys: Keys
    pace: Pace
    public_url: str
    """The base of every ``notification_uri``, without a slash at its end."""
    sender: Sender
    delivery_retry_seconds: tuple[float, ...]
    """How long after each failed attempt a caller is told again."""
    shares: Shares
    now: Callable[[], datetime]
    wake: Callable[[int], None] = wake_nobody
    """Tells the workers that an account has work due; it neither waits nor raises."""
    wait: Callable[[float], bool] = have_no_time
    """Waits so many seconds for a database that is away; False once there is no time for that."""
    without_expansion: set[int] = field(default_factory=set)
    """The accounts whose sets are not shown with their requests; this process found that out."""
    call_sizes: CallSizes = field(default_factory=CallSizes)
    monotonic: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random
    kept_for: timedelta | None = None
    """How long what is over is kept; None for ever."""


def unseal(keys: Keys, sealed: accounts.SealedCredential, *, account_id: int | None) -> Credential:
    """Open a credential as it stands in SQL, to act on an account or on none. Raises CannotOpen."""
    return Credential(
        token=keys.open_sealed(sealed.token),
        app_secret=None if sealed.app_secret is None else keys.open_sealed(sealed.app_secret),
        account_id=account_id,
    )


def credential_that_sent(tools: Tools, credential_id: int, *, account_id: int) -> Credential:
    """Return the credential of an account's submission: another one may not see what it made.

    Raises CannotOpen, DatabaseAway.
    """
    with tools.database.reading() as session:
        sealed = accounts.find_credential(session, credential_id)
    return unseal(tools.keys, sealed, account_id=account_id)


def credential_of(tools: Tools, account_id: int) -> Credential:
    """Return the credential that acts on an account. Raises CannotOpen, DatabaseAway."""
    with tools.database.reading() as session:
        sealed = accounts.credential_of(session, account_id)
    return unseal(tools.keys, sealed, account_id=account_id)
