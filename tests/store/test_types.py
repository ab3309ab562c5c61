from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import StatementError

from receiver.store.database import Database
from receiver.store.models import Account
from receiver.store.types import UTCDateTime
from tests.support.rows import ACCOUNT, add_account

NAIVE = datetime(2026, 1, 1)  # noqa: DTZ001  # what the type refuses, and Hypothesis asks for
MOMENTS = st.datetimes(
    min_value=NAIVE.replace(year=2000), max_value=NAIVE.replace(year=2100), timezones=st.just(UTC)
)


def test_a_moment_without_its_zone_is_refused(database: Database) -> None:
    add_account(database)
    with (
        database.writing() as session,
        pytest.raises(StatementError, match="A moment must carry its time zone"),
    ):
        session.execute(update(Account).values(resume_at=NAIVE))


def test_a_moment_comes_back_aware_and_in_utc_from_whatever_zone(database: Database) -> None:
    add_account(database)
    moment = datetime(2026, 1, 1, 3, 4, 5, 6, tzinfo=timezone(timedelta(hours=7)))
    with database.writing() as session:
        session.execute(update(Account).values(resume_at=moment))
    with database.reading() as session:
        stored = session.execute(select(Account.resume_at)).scalar_one()
    assert stored == moment
    assert stored is not None
    assert stored.tzinfo is UTC


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_width_in_sqlite_is_fixed_even_for_a_whole_second(database: Database) -> None:
    add_account(database, ACCOUNT)
    with database.writing() as session:
        session.execute(update(Account).values(resume_at=datetime(2026, 1, 1, tzinfo=UTC)))
        raw = session.execute(text("SELECT resume_at FROM account")).scalar_one()
    assert raw == "2026-01-01 00:00:00.000000"


@given(MOMENTS, MOMENTS)
def test_moments_sort_in_sqlite_as_texts(one: datetime, other: datetime) -> None:
    write = UTCDateTime().bind_processor(sqlite.dialect())
    assert write is not None
    assert (write(one) < write(other)) == (one < other)
