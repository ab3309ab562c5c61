"""The one statement by which request rows are written, on either database (decision 042).

It is made from the columns of the table. Rows only move forward: never from a final status to
another, from a result to none, from a newer reading to an older, or from one set to another.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeDecorator

from receiver.store.binary_arrays import binary_array, type_name
from receiver.store.models import Request
from receiver.store.types import sqlite_text

Row = tuple[Any, ...]
"""The values of a row, in the order of ``COLUMNS``."""

_COLUMNS: Sequence[Any] = tuple(Request.__table__.columns)
COLUMNS = tuple(column.name for column in _COLUMNS)

_OF_RESULT = ("created_object_id", "error_code", "error_message")
"""What is taken out of a result goes with it: a success keeps no error of a try before."""

_DECIDED = ("id", "request_set_id", "status", "is_final", "read_at")
"""Whose a row is, and what of two readings the better one decides; what is left, both fill."""


def write(session: Session, rows: Sequence[Row]) -> None:
    """Insert rows, and let those that are there move forward. Raises what the driver raises.

    PostgreSQL refuses rows of which two have the same id.
    """
    by_column = list(zip(*rows, strict=True))
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        stored = map(_as_sqlite_stores, _COLUMNS, by_column)
        connection.exec_driver_sql(_sqlite_statement(), list(zip(*stored, strict=True)))
    else:
        arrays = map(binary_array, (column.type for column in _COLUMNS), by_column)
        connection.exec_driver_sql(_postgresql_statement(), tuple(arrays))


def _as_sqlite_stores(column: ColumnElement[Any], values: Sequence[Any]) -> Sequence[Any]:
    """Write moments as their column's type does; everything else the driver knows."""
    if not isinstance(column.type, TypeDecorator):
        return values
    texts = {value: sqlite_text(value) for value in set(values)}
    return [texts[value] for value in values]


@cache
def _sqlite_statement() -> str:
    marks = ", ".join("?" * len(COLUMNS))
    return f"{_insert()} VALUES ({marks}) {_on_conflict(sqlite)}"


@cache
def _postgresql_statement() -> str:
    arrays = ", ".join(f"%s::{type_name(column.type)}[]" for column in _COLUMNS)
    return f"{_insert()} SELECT * FROM unnest({arrays}) {_on_conflict(postgresql)}"  # noqa: S608  # made of our own columns


def _insert() -> str:
    return f"INSERT INTO {Request.__tablename__} ({', '.join(COLUMNS)})"


def _on_conflict(dialect: Any) -> str:
    """Return how the statement ends, which SQLAlchemy words for a dialect."""
    text = str(moving_forward(dialect.insert(Request)).compile(dialect=dialect.dialect()))
    return text[text.index("ON CONFLICT") :]


def moving_forward(statement: Any) -> Any:
    """Return an INSERT of either dialect that lets what is there move forward."""
    new = statement.excluded
    filled = (name for name in COLUMNS if name not in (*_DECIDED, *_OF_RESULT))
    return statement.on_conflict_do_update(
        index_elements=[Request.id],
        set_={
            "status": case((_goes_first(new), new.status), else_=Request.status),
            "is_final": Request.is_final | new.is_final,
            **{name: _filled(name, new) for name in filled},
            **{name: _with_result(name, new) for name in _OF_RESULT},
            "read_at": case((_goes_first(new), new.read_at), else_=Request.read_at),
        },
        where=Request.request_set_id == new.request_set_id,
    )


def _goes_first(new: Any) -> ColumnElement[bool]:
    """Whether the new reading counts for more than what is there.

    A final one counts for more than one that is not, however old it is: what is final does not
    change, and a newer answer that shows less came from a server that lags. Among others the newer
    one counts for more; among final ones, the first.
    """
    return and_(~Request.is_final, or_(new.is_final, Request.read_at <= new.read_at))


def _with_result(name: str, new: Any) -> ColumnElement[Any]:
    """What stands in the result that counts, and else what is known at all."""
    return case(
        (and_(_goes_first(new), new.result.is_not(None)), new[name]),
        (Request.result.is_not(None), Request.__table__.c[name]),
        else_=_filled(name, new),
    )


def _filled(name: str, new: Any) -> ColumnElement[Any]:
    """What counts for more, and in its place what is known at all."""
    old, newer = Request.__table__.c[name], new[name]
    return case((_goes_first(new), func.coalesce(newer, old)), else_=func.coalesce(old, newer))
