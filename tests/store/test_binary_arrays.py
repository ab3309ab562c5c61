from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import BigInteger, Boolean, Integer, LargeBinary, String

from receiver.store.binary_arrays import binary_array, register, type_name
from receiver.store.types import UTCDateTime
from tests.support.databases import POSTGRES, require_postgres

VALUES: dict[str, tuple[Any, st.SearchStrategy[Any]]] = {
    "integers": (BigInteger(), st.integers(-(2**63), 2**63 - 1)),
    "booleans": (Boolean(), st.booleans()),
    "bytes": (LargeBinary(), st.binary(max_size=50)),
    "texts": (String(), st.text(st.characters(exclude_characters="\0", codec="utf-8"))),
    "moments": (
        UTCDateTime(),
        st.datetimes(datetime(1990, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  # bounds are naive
    ),
}


@pytest.mark.parametrize("kind", VALUES)
def test_postgresql_reads_what_was_written(kind: str) -> None:
    require_postgres()
    register()
    column_type, one = VALUES[kind]
    with psycopg.connect(POSTGRES, dbname="postgres") as connection:
        statement = f"SELECT unnest(%s::{type_name(column_type)}[])"

        @settings(max_examples=30, deadline=None)
        @given(st.lists(st.none() | one, max_size=20))
        def written_and_read(values: list[Any]) -> None:
            rows = connection.execute(
                statement, [binary_array(column_type, values)], binary=True
            ).fetchall()
            assert [row[0] for row in rows] == values

        written_and_read()


def test_a_moment_of_another_zone_is_the_same_moment() -> None:
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    there = moment.astimezone(timezone(timedelta(hours=-7)))
    assert binary_array(UTCDateTime(), [moment]) == binary_array(UTCDateTime(), [there])


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 2**70])
def test_an_integer_beyond_64_bits_is_refused(number: int) -> None:
    with pytest.raises(OverflowError):
        binary_array(BigInteger(), [1, number])


def test_half_of_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        binary_array(String(), ["fine", "\ud800"])


def test_a_type_that_no_column_has_is_refused() -> None:
    with pytest.raises(TypeError):
        binary_array(Integer(), [1])
