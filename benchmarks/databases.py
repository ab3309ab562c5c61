"""New databases to measure on, of either kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import uuid4

from benchmarks import postgresql
from receiver.store import migrate
from receiver.store.database import Database

BACKENDS = ("sqlite", "postgresql")


@contextmanager
def new_database(
    backend: str, folder: Path, *, label: str, server: str = postgresql.SERVER
) -> Iterator[str]:
    """Yield the URL of a migrated database for one stretch of measuring. Raises NoPostgreSQL."""
    if backend == "postgresql":
        with postgresql.new_database(label, server=server) as url:
            yield url
        return
    url = f"sqlite:///{folder / f'{label}-{uuid4().hex[:8]}.db'}"
    with closing(Database(url, timeout_seconds=5)) as database:
        migrate.upgrade(database)
    yield url


def plain_url(database_url: str) -> str:
    """Return a URL as settings and drivers take it: without SQLAlchemy's name of the driver."""
    return database_url.replace("postgresql+psycopg://", "postgresql://")
