from __future__ import annotations

from contextlib import closing

from receiver.store import intents, twins
from receiver.store.database import Database
from tests.support.databases import require_postgres
from tests.support.house import ACCOUNT, House


def test_a_create_under_way_keeps_no_look_of_its_account_waiting(
    house: House, database_url: str
) -> None:
    """A row that is changed twice has its account checked again: it may not wait for a create."""
    if database_url.startswith("sqlite"):
        return  # one writer at a time: there is nothing to wait for crosswise
    require_postgres()
    house.create_open()
    with (
        closing(Database(database_url, timeout_seconds=0.5)) as other,
        house.parts.database.writing() as creating,
    ):
        twins.lock_account(creating, ACCOUNT)
        with other.writing() as looking:
            intents.rename(looking, 1, name="one")
            intents.rename(looking, 1, name="two")
    assert house.the_set().name == "two"
