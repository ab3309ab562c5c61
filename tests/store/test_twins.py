from __future__ import annotations

from contextlib import closing

from receiver.graph.vocabulary import AD_SETS_EDGE
from receiver.store import intents, twins
from receiver.store.database import Database
from receiver.store.models import RequestSet
from receiver.store.twins import Keyed
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


def test_numbered_keys_are_those_of_one_prefix_with_what_their_creates_ask_for(
    house: House,
) -> None:
    for key in ("a_b-1", "a_b-12", "a_b-", "a_b-1-2", "a_b-x", "axb-1", "A_B-1", "a_b1"):
        house.create_open(idempotency_key=key)
    with house.parts.database.reading() as session:
        found = twins.numbered_keys(session, ACCOUNT, edge=AD_SETS_EDGE, prefix="a_b")
        others = twins.numbered_keys(session, ACCOUNT + 1, edge=AD_SETS_EDGE, prefix="a_b")
    asked = house.rows(RequestSet)[0].parameters_hash
    assert (found, others) == ({"a_b-1": Keyed(1, asked), "a_b-12": Keyed(2, asked)}, {})
