"""A house in which everything stands that the dashboard has a look of its own for."""

from __future__ import annotations

from datetime import timedelta

from receiver.lifecycle import bulk
from receiver.lifecycle.reconcile import reconcile
from receiver.store import intents, waits
from receiver.store.intents import Attempt
from receiver.store.models import RequestSet
from receiver.store.waits import FOREVER, Wait
from tests.support.dashboard import signed_in
from tests.support.house import ACCOUNT, House, ad

HOOK = "http://127.0.0.1:9/hook"
FAILING = [ad(f"fail {number}") for number in range(6)]
_LISTS = ("request-sets", "requests", "notifications", "looks", "deliveries", "audit")
LOOKS = (
    "the overview",
    *(f"the list of {name}" for name in _LISTS),
    *(f"nothing in {name}" for name in _LISTS),
    "a set at work",
    "a collected set with failures",
    "a set whose outcome is not known",
    "a stuck set",
    "a doubled set",
    "a rejected set",
    "a plan",
    "a plan that is done",
    "a plan under way that could not take all",
    "a notification",
    "a delivery",
    "the accounts, one parked",
    "a page that is not there",
    "parameters that cannot be meant",
)
"""Every page that has a look of its own."""

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
    answer = signed_in(house).post(f"/plans?state={state}", action=action)
    return answer.location.removeprefix("/admin")


def planned_and_done(house: House) -> str:
    """Make a plan, let it be done, and return the path of its page."""
    path = planned(house, action="look", state="open")
    assert signed_in(house).post(f"{path}/confirm").status_code == 302
    carry_out(house)
    return path


def under_way(house: House) -> str:
    """Make a plan, let it be done, and return the path of its page with what it left to plan."""
    path = planned(house)
    assert signed_in(house).post(f"{path}/confirm").status_code == 302
    return f"{path}?state=collected&rest=cursor"


def carry_out(house: House) -> None:
    """Do what confirmed plans wait for, as the worker does."""
    while (claim := bulk.claim_next(house.parts.tools)) is not None:
        bulk.act(house.parts.tools, claim)


def everything(house: House) -> dict[str, str]:
    """Fill a house; return the path of each page that has a look of its own, by its name."""
    sets = [
        at_work(house),
        collected(house),
        unknown(house),
        stuck(house),
        doubled(house),
        rejected(house),
    ]
    resubmit = f"/request-sets/{sets[1]}/actions/resubmit"
    assert signed_in(house).post(resubmit).status_code == 302
    compared(house)
    plans = [planned(house), planned_and_done(house), under_way(house)]
    parked(house)
    house.clock.move(3601)
    paths = [
        "/",
        *(f"/{name}" for name in _LISTS),
        *(f"/{name}?account=act_5" for name in _LISTS),
        *(f"/request-sets/{number}" for number in sets),
        *plans,
        "/notifications/1",
        "/deliveries/1",
        "/accounts",
        "/nothing",
        "/request-sets?state=happy",
    ]
    return dict(zip(LOOKS, paths, strict=True))
