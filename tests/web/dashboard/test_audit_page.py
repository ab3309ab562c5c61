"""The audit log's page shows of each action with what it was done and how it ended."""

from __future__ import annotations

from receiver.store import audit
from receiver.store.audit import Actor, Deed
from tests.support.dashboard import signed_in
from tests.support.house import ACCOUNT, House


def keep(house: House, deed: Deed, *, note: str) -> None:
    with house.parts.database.writing() as session:
        entry_id = audit.begin(session, deed, by=Actor("command (ada)"), now=house.clock())
        audit.end(session, entry_id, outcome=audit.REFUSED, note=note)


def test_what_was_asked_for_stands_beside_how_it_ended(house: House) -> None:
    house.create_open()
    keep(house, Deed("adopt", ACCOUNT, 1, detail="as 123454321"), note="It has another id.")

    for path in ("/audit", "/request-sets/1"):
        page = signed_in(house).get(path).text
        assert "command (ada)" in page
        assert "as 123454321" in page
        assert "It has another id." in page


def test_confirmed_plans_can_be_asked_for(house: House) -> None:
    keep(house, Deed("confirm", ACCOUNT, detail="plan abc: cancel, 2 sets"), note="Confirmed.")
    somebody = signed_in(house)

    assert "plan abc" in somebody.get("/audit", action="confirm").text
    assert "plan abc" not in somebody.get("/audit", action="adopt").text
    assert '<option value="confirm"' in somebody.get("/audit").text
