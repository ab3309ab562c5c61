from __future__ import annotations

from sqlalchemy import update

from receiver.store.models import Request
from receiver.worker.backfill import backfill
from tests.support.house import ACCOUNT, House
from tests.support.loops import loop_of, running, wait_until


def collect_as_an_older_version(house: House) -> None:
    house.create_open()
    house.clock.move(60)
    house.work()
    with house.parts.database.writing() as session:
        session.execute(update(Request).values(account_id=None))


def accounts_of_requests(house: House) -> set[int | None]:
    return {row.account_id for row in house.rows(Request)}


def test_what_an_older_version_wrote_is_filled_in_until_nothing_is_left(house: House) -> None:
    collect_as_an_older_version(house)
    assert [backfill(house.parts.tools) for _ in range(2)] == [True, False]
    assert accounts_of_requests(house) == {ACCOUNT}


def test_a_loop_fills_it_in_beside_its_work(house: House) -> None:
    collect_as_an_older_version(house)
    with running(loop_of(house)):
        wait_until(lambda: accounts_of_requests(house) == {ACCOUNT})
