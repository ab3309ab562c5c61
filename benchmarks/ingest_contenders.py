"""Who takes notifications in: the receiver as its Procfile runs it, and its peers."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import create_engine, text

from benchmarks.databases import sqlalchemy_url
from benchmarks.notifications_load import Messages
from benchmarks.peers.flask_views import COLUMNS
from benchmarks.web_server import REPOSITORY, WebServer
from receiver.crypto import Keys
from receiver.store import migrate
from receiver.store.database import Database

THREADS = 32
"""The receiver's own default, RECEIVER_WEB_THREADS."""

PEER_OPTIONS = (
    *("--worker-class", "gthread", "--threads", str(THREADS)),
    *("--reuse-port", "--keep-alive", "75", "--no-control-socket"),
)
"""What ``gunicorn.conf.py`` sets, with gunicorn's own worker class."""

_SECRET_KEY = "k" * 32
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

    secret_key: str = _SECRET_KEY

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

    ``named_by`` is the column that holds the message's number once more.
    """

    database_url: str
    name: str
    named_by: str = "NULL"
    _last_id: int = 0

    def new_numbers(self) -> list[int]:
        """Return the numbers of the messages in the rows that came since the last call.

        Raises ValueError for a row that holds the body of another message.
        """
        statement = f"SELECT id, body, {self.named_by} FROM {self.name} WHERE id > {self._last_id}"  # noqa: S608  # made of our own names
        engine = create_engine(sqlalchemy_url(self.database_url))
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
    engine = create_engine(sqlalchemy_url(database_url))
    with engine.begin() as connection:
        columns = COLUMNS[connection.dialect.name]
        connection.exec_driver_sql(f"CREATE TABLE received ({columns})")
    engine.dispose()
    start = _flask(f"inserting('{database_url}')", folder)
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


def ours(folder: Path, *, database_url: str, options: Sequence[str] = ()) -> Contender:
    """``gunicorn wsgi:app`` with the repository's own configuration, on a migrated database."""
    database = Database(sqlalchemy_url(database_url), timeout_seconds=5)
    migrate.upgrade(database)
    database.close()
    start = partial(
        WebServer,
        "wsgi:app",
        log=folder / "ours.log",
        options=options,
        environment={
            "RECEIVER_DATABASE_URL": database_url,
            "RECEIVER_PUBLIC_URL": "http://127.0.0.1",
            "RECEIVER_SECRET_KEYS": _SECRET_KEY,
        },
    )
    table = Table(database_url, "notification", named_by="request_set_id")
    return Contender(start, Notifications(), table)
