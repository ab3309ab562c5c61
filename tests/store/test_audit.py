"""The audit log keeps what was asked for, and beside it how it ended."""

from __future__ import annotations

from receiver.store import action_plans, audit
from receiver.store.action_plans import NewPlan
from receiver.store.audit import Actor, Deed
from receiver.store.database import Database
from receiver.store.models import AuditEntry
from tests.support.rows import NOW, at, rows

ME = Actor("a person")


def test_how_a_deed_ended_leaves_standing_what_it_was_done_with(database: Database) -> None:
    with database.writing() as session:
        entry_id = audit.begin(session, Deed("adopt", 1, 2, detail="as 7"), by=ME, now=NOW)
    with database.writing() as session:
        audit.end(session, entry_id, outcome=audit.REFUSED, note="Facebook does not show 7.")

    (entry,) = rows(database, AuditEntry)
    assert (entry.detail, entry.outcome) == ("as 7", "refused")
    assert entry.note == "Facebook does not show 7."


def test_who_confirmed_a_plan_is_kept_for_each_of_its_accounts(database: Database) -> None:
    plan = NewPlan(
        "abc", action="cancel", detail="", public_url=None, sets=[(1, 10), (2, 10), (3, 11)]
    )
    with database.writing() as session:
        action_plans.add(session, plan, by=ME, expires_at=at(60), now=NOW)
        audit.confirmed(session, "abc", by=ME, now=NOW)

    kept = [(one.account_id, one.action, one.detail) for one in rows(database, AuditEntry)]
    assert sorted(kept) == [
        (10, "confirm", "plan abc: cancel, 2 sets"),
        (11, "confirm", "plan abc: cancel, 1 sets"),
    ]
    assert {one.outcome for one in rows(database, AuditEntry)} == {"done"}
