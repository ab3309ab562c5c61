"""Who takes notifications in: the receiver as its Procfile runs it, and its peers."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import create_engine, text

from benchmarks.databases import plain_url
from benchmarks.installation import SECRET_KEY, variables
from benchmarks.notifications_load import Messages
from benchmarks.peers.environments import environment_of
from benchmarks.peers.flask_views import COLUMNS
from benchmarks.peers.stripe_events import SECRET, WEBHOOK_ID, StripeEvents
from benchmarks.web_server import REPOSITORY, WebServer
from receiver.cli.processes import plain_environment
from receiver.crypto import Keys

FIRST_NUMBER = 1_000_000
"""The number of the first message: no set of a new database has it."""

THREADS = 32
"""The receiver's own default, RECEIVER_WEB_THREADS."""

PEER_OPTIONS = (
    *("--worker-class", "gthread", "--threads", str(THREADS)),
    *("--reuse-port", "--keep-alive", "75", "--no-control-socket"),
)
"""What ``gunicorn.conf.py`` sets, with gunicorn's own worker class."""

_NUMBER = re.compile(rb'"id": "(?:evt_)?([0-9]+)"')
_HEAD = (
    "POST /notifications/{token} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: facebookexternalua\r\n"
    "Accept: */*\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
)


@dataclass(frozen=True)
class Notifications:
    """Notifications of so many sets, each with a token of its own.

    No set has these numbers: the receiver keeps a valid token without a set alike.
    """

    secret_key: str = SECRET_KEY
    most_per_second: int = 12_000

    def build(self, numbers: range) -> list[bytes]:
        keys = Keys([self.secret_key])
        return [self._notification(keys, number) for number in numbers]

    def _notification(self, keys: Keys, number: int) -> bytes:
        body = f'{{"id": "{number}"}}'
        token = keys.sign_token(intent=number, attempt=1)
        return (_HEAD.format(token=token, length=len(body)) + body).encode()


@dataclass
class Table:
    """Where a contender stores messages: one row each, with an ``id`` that grows, and a ``body``.

    ``named_by`` is the column that holds the message's number once more, and ``only`` the condition
    that rows of measured messages fulfil.
    """

    database_url: str
    name: str
    named_by: str = "NULL"
    only: str = "0 = 0"
    _last_id: int = 0

    def new_numbers(self) -> list[int]:
        """Return the numbers of the messages in the rows that came since the last call.

        Raises ValueError for a row that holds the body of another message.
        """
        statement = (
            f"SELECT id, body, {self.named_by} FROM {self.name} "  # noqa: S608  # made of our own names
            f"WHERE id > {self._last_id} AND {self.only}"
        )
        engine = create_engine(self.database_url)
        with engine.connect() as connection:
            rows = connection.execute(text(statement)).all()
        engine.dispose()
        self._last_id = max((row[0] for row in rows), default=self._last_id)
        return [_number(row[1], row[2]) for row in rows]


def _number(body: bytes | str, named: int | None) -> int:
    found = _NUMBER.search(body.encode() if isinstance(body, str) else body)
    if found is None or named not in (None, int(found[1])):
        raise ValueError(f"A row of {named} holds {body!r}")
    return int(found[1])


@dataclass(frozen=True)
class Contender:
    """A server that takes messages in, started anew for each round.

    Without a table it stores nothing.
    """

    start: Callable[[], WebServer]
    messages: Messages
    table: Table | None = None


def noop(folder: Path) -> Contender:
    """A Flask view that does nothing, under gunicorn's ``gthread``."""
    return Contender(_flask("doing_nothing()", folder), Notifications())


def raw_insert(folder: Path, *, database_url: str) -> Contender:
    """The same view with one committed INSERT by the database's driver."""
    engine = create_engine(database_url)
    with engine.begin() as connection:
        columns = COLUMNS[connection.dialect.name]
        connection.exec_driver_sql(f"CREATE TABLE received ({columns})")
    engine.dispose()
    start = _flask(f"inserting('{plain_url(database_url)}')", folder)
    return Contender(start, Notifications(), Table(database_url, "received"))


def _flask(application: str, folder: Path) -> Callable[[], WebServer]:
    return partial(
        WebServer,
        f"benchmarks.peers.flask_views:{application}",
        log=folder / "flask.log",
        options=PEER_OPTIONS,
        environment={"PYTHONPATH": str(REPOSITORY)},
        # In the repository's folder gunicorn would read the receiver's configuration.
        folder=folder,
    )


def ours(
    folder: Path,
    *,
    database_url: str,
    options: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Contender:
    """``gunicorn wsgi:app`` with the repository's own configuration, on a migrated database."""
    settings = variables(plain_url(database_url), public_url="http://127.0.0.1")
    start = partial(
        WebServer,
        "wsgi:app",
        log=folder / "ours.log",
        options=options,
        environment={**settings, **(environment or {})},
    )
    table = Table(
        database_url,
        "notification",
        named_by="request_set_id",
        only=f"request_set_id >= {FIRST_NUMBER}",
    )
    return Contender(start, Notifications(), table)


def djstripe(folder: Path, *, database_url: str) -> Contender:
    """dj-stripe's webhook endpoint, under ``gthread``, in an environment of its own.

    Raises NotInstalled.
    """
    python = str(environment_of("djstripe") / "bin" / "python")
    environment = {
        "PYTHONPATH": str(REPOSITORY),
        "BENCHMARK_DATABASE_URL": plain_url(database_url),
        "BENCHMARK_WEBHOOK_ID": WEBHOOK_ID,
        "BENCHMARK_WEBHOOK_SECRET": SECRET,
    }
    project = "benchmarks.peers.djstripe.project"
    subprocess.run(  # noqa: S603  # the arguments are our own
        [python, "-m", project], check=True, cwd=folder, env={**plain_environment(), **environment}
    )
    start = partial(
        WebServer,
        f"{project}:application",
        log=folder / "djstripe.log",
        options=PEER_OPTIONS,
        environment=environment,
        python=python,
        folder=folder,
    )
    return Contender(start, StripeEvents(), Table(database_url, "djstripe_webhookeventtrigger"))
