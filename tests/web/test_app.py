from __future__ import annotations

import os

import pytest
from sqlalchemy import text

from receiver.app import check_start, create_app
from receiver.settings import load_settings
from receiver.store.database import Database
from receiver.store.migrate import SchemaOutdated
from tests.support.house import SECRET_KEY


@pytest.fixture
def environment(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # What the test run itself is told begins with the same prefix.
    for name in [name for name in os.environ if name.startswith("RECEIVER_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("RECEIVER_DATABASE_URL", database_url)
    monkeypatch.setenv("RECEIVER_PUBLIC_URL", "https://receiver.test")
    monkeypatch.setenv("RECEIVER_SECRET_KEYS", SECRET_KEY)


@pytest.mark.usefixtures("environment")
def test_a_service_whose_tables_are_old_does_not_start(database: Database) -> None:
    with database.begin_writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    with pytest.raises(SchemaOutdated, match="run 'receiver db upgrade'"):
        check_start(load_settings())
    with pytest.raises(SchemaOutdated, match="run 'receiver db upgrade'"):
        create_app()


@pytest.mark.usefixtures("environment")
def test_a_service_whose_database_is_away_starts_and_answers_503(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RECEIVER_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    check_start(load_settings())
    answer = create_app().test_client().get("/1", headers={"Authorization": "Bearer rcv_x"})
    assert answer.status_code == 503
