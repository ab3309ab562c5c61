"""Empty databases for the time of a measurement: SQLite files, and databases on one PostgreSQL."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

BACKENDS = ("sqlite", "postgresql")

POSTGRES = os.environ.get("RECEIVER_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/")
"""A server on which databases may be created."""


@contextmanager
def empty_database_url(backend: str, folder: Path) -> Iterator[str]:
    """Yield the URL of a database without a table in it, which ends with the block.

    Raises psycopg.Error where PostgreSQL does not answer.
    """
    name = f"receiver_bench_{uuid.uuid4().hex}"
    if backend == "sqlite":
        yield f"sqlite:///{folder / name}.db"
        return
    _administer("CREATE DATABASE {}", name)
    try:
        yield f"{POSTGRES.rstrip('/')}/{name}"
    finally:
        _administer("DROP DATABASE {} WITH (FORCE)", name)


def sqlalchemy_url(url: str) -> str:
    """The same URL with the driver that is installed."""
    return url.replace("postgresql://", "postgresql+psycopg://")


def _administer(statement: str, name: str) -> None:
    with psycopg.connect(POSTGRES, autocommit=True, dbname="postgres") as connection:
        connection.execute(sql.SQL(statement).format(sql.Identifier(name)))
