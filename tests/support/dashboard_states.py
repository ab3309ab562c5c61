"""A house in which everything stands that the dashboard has a look of its own for."""

from __future__ import annotations

from datetime import timedelta

from receiver.lifecycle import bulk
from receiver.lifecycle.reconcile import reconcile
from receiver.store import intents, waits
from receiver.store.intents import Attempt
from receiver.store.models import RequestSet
from receiver.store.waits import FOREVER, Wait
from tests.support.dashboard import Person, signed_in
from tests.support.house import ACCOUNT, House, ad

HOOK = "http://127.0.0.1:9/hook"
FAILING = [ad(f"fail {number}") for number in range(6)]
_CREATE = {"method": "POST", "path": "/asyncadrequestsets$"}


def collected(house: House, name: str = "Collected, with failures") -> int:
    """A collected set whose caller was told, with failures of several kinds; return its number."""
    set_id = house.create_open(
        [ad("one"), ad("two"), *FAILING],
        name=name,
        notification_uri=HOOK,
        notification_mode="ON_COMPLETE",
    )
    house.notify(set_id, data={"id": set_id}, headers={"X-Hub-Signature": "sha256=none"})
    house.work()
    house.deliver()
    return house.rows(RequestSet)[-1].id


def at_work(house: House, name: str = "At work", *, ads: int = 4, done: int = 1) -> int:
    """An open set of which Facebook has processed some; return its number."""
    house.sandbox.configure(f"act_{ACCOUNT}", progress={"kind": "by_hand"}, next_sets=1)
    set_id = house.create_open([ad(f"ad {number}") for number in range(ads)], name=name)
    house.sandbox.advance(set_id, requests=done)
    row = house.rows(RequestSet)[-1]
    look_now(house, row.id)
    return row.id


def look_now(house: House, number: int) -> None:
    """Let the worker look at a set at once."""
    with house.parts.database.writing() as session:
        session.get_one(RequestSet, number).look_at = house.clock()
    house.work()


def unknown(house: House, name: str = "Unknown") -> int:
    """A set whose create was not answered; return its number."""
    house.sandbox.trouble("commit_then_drop", **_CREATE)
    assert house.create(name=name).status_code == 409
    return house.rows(RequestSet)[-1].id


def stuck(house: House) -> int:
    """A set of which a person has to decide; return its number."""
    number = unknown(house, "Stuck")
    with house.parts.database.writing() as session:
        row = session.get_one(RequestSet, number)
        row.state, row.state_reason = "stuck", "The evidence contradicts itself."
    return number


def rejected(house: House) -> int:
    """A set that Facebook refused; return its number."""
    house.sandbox.trouble("graph_error", code=100, message="Invalid parameter", **_CREATE)
    assert house.create(name="Rejected").status_code == 400
    return house.rows(RequestSet)[-1].id


def doubled(house: House) -> int:
    """A set that stands at Facebook twice; return its number."""
    number = collected(house, "Doubled")
    with house.parts.database.writing() as session:
        attempt = Attempt(number, number=1)
        intents.keep_found(session, attempt, facebook_id=99, now=house.clock())
    return number


def parked(house: House) -> None:
    """Let the account wait for a person."""
    reason = "The token is out of date. When that is mended: 'receiver account resume'."
    with house.parts.database.writing() as session:
        waits.wait(session, ACCOUNT, Wait(FOREVER, parked_reason=reason))


def compared(house: House) -> None:
    """Compare the account with Facebook."""
    now = house.clock()
    reconcile(house.parts.tools, ACCOUNT, since=now - timedelta(days=1), until=now)


def planned(house: House, *, action: str = "collect", state: str = "collected") -> str:
    """Make a plan; return the path of its page."""
    answer = signed_in(house).post(
        f"/plans?state={state}", form_on="/request-sets", **{"action": action}
    )
    return answer.location.removeprefix("/admin")


def planned_and_done(house: House) -> str:
    """Make a plan, let it be done, and return the path of its page."""
    path = planned(house, action="look", state="open")
    member: Person = signed_in(house)
    assert member.post(f"{path}/confirm", form_on=path).status_code == 302
    carry_out(house)
    return path


def carry_out(house: House) -> None:
    """Do what confirmed plans wait for, as the worker does."""
    while (claim := bulk.claim_next(house.parts.tools)) is not None:
        bulk.act(house.parts.tools, claim)


def everything(house: House) -> dict[str, str]:
    """Fill a house; return the path of each page that has a look of its own, by its name."""
    sets = {
        "a set at work": at_work(house),
        "a collected set with failures": collected(house),
        "a set whose outcome is not known": unknown(house),
        "a stuck set": stuck(house),
        "a doubled set": doubled(house),
        "a rejected set": rejected(house),
    }
    signed_in(house).post(
        f"/request-sets/{sets['a collected set with failures']}/actions/resubmit",
        form_on="/",
    )
    compared(house)
    plans = {"a plan": planned(house), "a plan that is done": planned_and_done(house)}
    parked(house)
    house.clock.move(3601)
    lists = ("request-sets", "requests", "notifications", "looks", "deliveries", "audit")
    return {
        "the overview": "/",
        **{f"the list of {name}": f"/{name}" for name in lists},
        **{f"nothing in {name}": f"/{name}?account=act_5" for name in lists},
        **{name: f"/request-sets/{number}" for name, number in sets.items()},
        **plans,
        "a notification": "/notifications/1",
        "a delivery": "/deliveries/1",
        "the accounts, one parked": "/accounts",
        "a page that is not there": "/nothing",
        "parameters that cannot be meant": "/request-sets?state=happy",
    }
