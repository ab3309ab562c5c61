"""What the whole life of a set asks PostgreSQL is served by indexes, however full it is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text, update

from benchmarks.admin_population import DAYS, NOW
from benchmarks.admin_population import LARGE as LARGEST
from benchmarks.admin_rows import analyze, fill
from benchmarks.plans import Statements, watched
from receiver.lifecycle import bulk, choosing, explain, integrity, reconcile, retention
from receiver.lifecycle.recheck import recheck_next
from receiver.store import backlog
from receiver.store import integrity as counting
from receiver.store.audit import Actor
from receiver.store.database import Database
from receiver.store.inbox.rows import COLUMNS, COUNT_REPEATS, INSERT, ROWS_PER_TOKEN
from receiver.store.lists.conditions import Between
from receiver.store.lists.request_sets import SetFilter
from receiver.store.models import Base, RequestSet
from receiver.worker.backfill import backfill
from tests.store.test_list_plans import SERVED
from tests.support.databases import fresh_database_url
from tests.support.house import ACCOUNT, House, ad, open_house

# To fill a database, and to live on it, takes half a minute.
pytestmark = pytest.mark.drill

LARGE = (
    "delivery",
    "delivery_attempt",
    "found_set",
    "idempotency_key",
    "look",
    "notification",
    "request",
    "request_set",
    "resubmission",
    "submission",
)
"""The tables that grow with what is sent."""

MORE = (
    *(
        f"UPDATE {table} SET account_id = {ACCOUNT} WHERE account_id = {LARGEST}"
        for table in ("request_set", "request", "notification", "look", "delivery")
    ),
    "INSERT INTO idempotency_key SELECT account_id, edge, 'key-' || id, id FROM request_set",
    (
        "INSERT INTO resubmission SELECT max(child.id), request.id, request.id, true "
        "FROM request_set child JOIN request ON request.request_set_id = child.parent_id "
        "GROUP BY request.id"
    ),
)
"""The account of the house is the largest one; and what the population has none of."""

KEEPING = (
    INSERT.format(
        new=f"(VALUES (1, 1, now(), '', '', '', '', ''::bytea, NULL)) AS new ({COLUMNS})"
    ),
    COUNT_REPEATS.format("1", "1", "1"),
)
"""How the inbox keeps a notification."""

UNSEEN = {
    "ix_action_plan_item_due": "there are few plans, and here but one",
    "ix_reconciliation_account_id_id": "there are few reconciliations, and here but one",
    "ix_resubmission_request_id": "PostgreSQL itself uses it, where a request is removed",
}
"""The indexes that no statement of this life is served by, and why they are there."""

VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")
PERSON = Actor("a person")
CREATE = {"method": "POST", "path": "/asyncadrequestsets$"}


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Database, Statements]]:
    """A filled database, and every statement of all that can happen to a set."""
    with fresh_database_url("postgresql", tmp_path_factory.mktemp("plans")) as url:
        filled = Database(url, timeout_seconds=5)
        fill(filled, rows=12_000)
        with open_house(url) as house:
            prepare(filled)
            with watched(house.parts.database, verbs=VERBS) as statements:
                live(house)
            # These go to the driver itself.
            statements.executed += [(statement, ()) for statement in KEEPING]
            yield filled, statements
        filled.close()


def prepare(filled: Database) -> None:
    with filled.writing() as session:
        # What the population has at work is nobody's at this sandbox: it is not due.
        later = NOW + timedelta(days=9999)
        is_at_work = RequestSet.look_at.is_not(None)
        session.execute(update(RequestSet).where(is_at_work).values(look_at=later))
        for rows in MORE:
            session.execute(text(rows))
    analyze(filled)


def live(house: House) -> None:
    house.set_private_addresses(allowed=True)
    told = {"notification_uri": "http://127.0.0.1:9/", "notification_mode": "ON_COMPLETE"}
    first = house.create_open([ad("one"), ad("fail two")], idempotency_key="mine", **told)
    house.create([ad("one"), ad("fail two")], idempotency_key="mine", **told)
    for _ in range(ROWS_PER_TOKEN + 1):
        house.notify(first)
    house.work()
    house.deliver()
    lose_and_find(house)
    act_on_many(house)
    watch(house, first)
    # Half of the population is older than that.
    steps = retention.steps(house.parts.database, before=NOW - timedelta(days=DAYS / 2))
    assert sum(step.sets for step in steps) > 0


def lose_and_find(house: House) -> None:
    """Let the answers of creates be lost: one that was made, and one that is sent again."""
    house.sandbox.trouble("commit_then_drop", **CREATE)
    house.create([ad("lost")])
    house.sandbox.trouble("reset", **CREATE)
    house.create([ad("never made")])
    house.let_time_pass(1)
    house.create_open([ad("a witness")])
    for _ in range(4):
        house.let_time_pass(450)
        house.work()
    house.let_time_pass(4000)
    while recheck_next(house.parts.tools):
        pass


def act_on_many(house: House) -> None:
    tools = house.parts.tools
    house.let_time_pass(1000)
    for action in ("resubmit", "look", "collect"):
        wanted = SetFilter([ACCOUNT], created=Between(NOW + timedelta(days=1)))
        planned = choosing.make(tools, action, wanted, detail="", by=PERSON)
        if planned.sets:
            bulk.confirm(tools, planned.plan_id, by=PERSON)
        while (claim := bulk.claim_next(tools)) is not None:
            bulk.act(tools, claim)
        house.work()


def watch(house: House, set_id: str) -> None:
    """Ask what everybody asks who watches over it all."""
    database, now = house.parts.database, house.clock()
    house.get(f"/v21.0/{set_id}", fields="id,requests{id,status,result}")
    house.get(f"/v21.0/act_{ACCOUNT}/asyncadrequestsets")
    explain.explain(house.parts.tools, ACCOUNT)
    since = now - timedelta(days=1)
    reconcile.reconcile(house.parts.tools, ACCOUNT, since=since, until=now)
    backfill(house.parts.tools)
    integrity.check(database, None, now=now)
    integrity.check(database, [ACCOUNT], now=now)
    with database.reading() as session:
        backlog.read(session, now=now)
        backlog.count_states(session)
        counting.counts(session, now=now)


def served(lived: tuple[Database, Statements]) -> dict[str, list[str]]:
    """Return by which indexes each statement would be served were the tables large."""
    database, statements = lived
    distinct = dict(reversed(statements.executed))
    found = {}
    with database.reading() as session:
        connection = session.connection()
        # Nothing is committed.
        session.execute(
            text("UPDATE pg_class SET reltuples = 10000 * reltuples WHERE relkind = 'r'")
        )
        for statement, parameters in distinct.items():
            one = parameters[0] if isinstance(parameters, list) else parameters
            found[statement] = Statements([(statement, one)]).indexes(connection)
        session.rollback()
    return found


def test_no_statement_reads_a_large_table_whole(lived: tuple[Database, Statements]) -> None:
    found = served(lived)
    assert len(found) > 100
    whole = {f"(all of {table})" for table in LARGE}
    assert [statement for statement, by in found.items() if whole & set(by)] == []


def test_every_index_is_used_by_somebody(lived: tuple[Database, Statements]) -> None:
    used = {index for by in served(lived).values() for index in by}
    used |= {index for cases in SERVED.values() for _, index in cases.values()}
    there = {index.name for table in Base.metadata.sorted_tables for index in table.indexes}
    assert there - used <= set(UNSEEN)
