from __future__ import annotations

import random

from receiver.lifecycle import knowledge
from receiver.lifecycle.experience import KEPT, Past, learn
from receiver.store import experience
from receiver.store.database import Database
from receiver.store.models import RequestSet
from tests.support.rows import add_account, add_intent, at

ACCOUNTS = (1, 2, 3, 4)


def fill(database: Database) -> None:
    """Sets of all accounts but the last, many of them complete, with any verdict."""
    chance = random.Random(5)
    for account_id in ACCOUNTS:
        add_account(database, account_id)
    numbers = [
        add_intent(database, account_id=chance.choice(ACCOUNTS[:-1])).request_set_id
        for _ in range(60)
    ]
    with database.writing() as session:
        for number in numbers:
            row = session.get_one(RequestSet, number)
            row.opened_at = chance.choice([None, at(1), at(1)])
            row.completed_at = chance.choice([None, at(chance.randrange(20)), at(30)])
            row.verdict = chance.choice(["pending", "delivered", "lost", "failed", "none"])


def test_what_each_account_loses_is_what_its_experience_says(database: Database) -> None:
    fill(database)

    with database.reading() as session:
        losses = knowledge.losses_of_each(session, ACCOUNTS)
        learned = {
            account_id: learn(
                Past(1, 0, one.verdict)
                for one in experience.newest(session, account_id, limit=KEPT)
            )
            for account_id in ACCOUNTS
        }

    assert {key: (one.rate, one.count) for key, one in losses.items()} == {
        key: (one.loss_rate, one.count) for key, one in learned.items()
    }
    assert losses[4].count == 0


def test_only_the_sets_that_were_complete_last_are_counted(database: Database) -> None:
    fill(database)
    with database.writing() as session:
        complete = session.query(RequestSet).filter_by(account_id=1).order_by(RequestSet.id).first()
        assert complete is not None
        complete.opened_at, complete.completed_at, complete.verdict = at(1), at(99), "lost"

    with database.reading() as session:
        assert experience.verdicts_of_each(session, [1], limit=1) == {1: {"lost": 1}}
