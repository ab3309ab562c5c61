"""Which indexes a database uses for the statements of a block, as it says itself."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, event, text

from receiver.store.database import Database

_SQLITE_STEP = re.compile(r"(?:SEARCH|SCAN) (\S+)(?: AS \S+)?(?: USING (.*))?")
_SQLITE_INDEX = re.compile(r"(?:COVERING )?INDEX (\S+)|(INTEGER PRIMARY KEY|PRIMARY KEY)")


@dataclass
class Statements:
    """The statements that a block executed, with their parameters."""

    executed: list[tuple[str, Any]] = field(default_factory=list)

    def indexes(self, connection: Connection) -> list[str]:
        """Return the indexes that serve them, and ``(all of TABLE)`` where none does."""
        read = _of_sqlite if connection.dialect.name == "sqlite" else _of_postgresql
        found = [
            index
            for statement, parameters in self.executed
            for index in read(connection, statement, parameters)
        ]
        return list(dict.fromkeys(found))

    def pages(self, connection: Connection) -> int | None:
        """Return how many pages of 8 KB PostgreSQL looks into for them, which no noise changes."""
        if connection.dialect.name == "sqlite":
            return None
        explain = "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON)"
        plans = [
            connection.exec_driver_sql(f"{explain} {statement}", parameters).scalar_one()[0]["Plan"]
            for statement, parameters in self.executed
        ]
        kinds = ("Shared Hit Blocks", "Shared Read Blocks")
        return sum(int(plan[kind]) for plan in plans for kind in kinds)


@contextmanager
def watched(database: Database, *, verbs: tuple[str, ...] = ("SELECT",)) -> Iterator[Statements]:
    """Note every statement of a block that begins with one of some words."""
    statements = Statements()

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.lstrip().upper().startswith(verbs):
            statements.executed.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def _of_postgresql(connection: Connection, statement: str, parameters: Any) -> Iterator[str]:
    explained = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
    plan = explained.scalar_one()[0]["Plan"]
    wholes = {row.part: row.whole for row in connection.execute(_WHOLES)}
    empty = set(connection.scalars(_EMPTY))
    yield from _of_node(plan, wholes=wholes, empty=empty)


_WHOLES = text(
    "SELECT part.relname AS part, whole.relname AS whole FROM pg_inherits "
    "JOIN pg_class part ON part.oid = inhrelid JOIN pg_class whole ON whole.oid = inhparent"
)
"""The tables that partitions are of, and the indexes that theirs are of."""

_EMPTY = text("SELECT relname FROM pg_class WHERE relispartition AND reltuples = 0")
"""Partitions without a row: to read one whole is to read nothing."""


def _of_node(
    node: dict[str, Any], *, wholes: Mapping[str, str], empty: Collection[str]
) -> Iterator[str]:
    if "Index Name" in node:
        yield wholes.get(node["Index Name"], node["Index Name"])
    if node["Node Type"] == "Seq Scan" and node["Relation Name"] not in empty:
        yield f"(all of {wholes.get(node['Relation Name'], node['Relation Name'])})"
    for child in node.get("Plans", ()):
        yield from _of_node(child, wholes=wholes, empty=empty)


def _of_sqlite(connection: Connection, statement: str, parameters: Any) -> Iterator[str]:
    for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters):
        step = _SQLITE_STEP.match(row[3])
        if step is None or step[1].startswith(("(", "anon_")):
            continue
        index = _SQLITE_INDEX.search(step[2] or "")
        if index is None:
            yield f"(all of {step[1]})"
        else:
            yield index[1] or f"pk_{step[1]}"
