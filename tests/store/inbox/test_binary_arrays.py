from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.store.inbox.binary_arrays import binary_array, type_of
from tests.support.databases import POSTGRES, require_postgres

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
VALUES: dict[Any, st.SearchStrategy[Any]] = {
    int: st.integers(-(2**63), 2**63 - 1),
    datetime: st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001  # the strategy adds the zone
    str: texts,
    str | None: st.none() | texts,
    bytes: st.binary(),
}


@pytest.fixture(scope="module")
def connection() -> Iterator[psycopg.Connection[Any]]:
    require_postgres()
    with psycopg.connect(POSTGRES, dbname="postgres", options="-c timezone=UTC") as opened:
        yield opened


@given(data=st.data())
@pytest.mark.parametrize("kind", VALUES, ids=str)
def test_postgresql_reads_an_array_as_it_was_written(
    connection: psycopg.Connection[Any], kind: Any, data: st.DataObject
) -> None:
    values = data.draw(st.lists(VALUES[kind], min_size=1))

    result = connection.pgconn.exec_params(
        f"SELECT $1::{type_of(kind)}[]".encode(),
        [binary_array(values, kind=kind)],
        param_formats=[1],
        result_format=1,
    )

    assert result.status == psycopg.pq.ExecStatus.TUPLES_OK, result.error_message
    transformer = psycopg.adapt.Transformer(connection)
    transformer.set_pgresult(result)
    assert transformer.load_row(0, tuple) == (values,)
