"""Request sets of the past, made in bulk: an account that has been in use for long."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict, Field

from receiver.sandbox.world.behaviour import Behaviour
from receiver.sandbox.world.request_set import Request, RequestSet
from receiver.sandbox.world.work import ad_work

_AD_SET_ID = "1"


class OldSets(BaseModel):
    """How many sets an account is to have from the last ``days``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    count: int = Field(ge=1, le=100_000)
    days: float = Field(default=365, gt=0, le=3650)


def make_old_sets(
    account_id: str, old: OldSets, *, new_id: Callable[[], str], now: datetime
) -> list[RequestSet]:
    """Make completed sets of one ad each, spread evenly over the past, oldest first.

    They notified nobody. The ads themselves are gone: the id in a result names nothing.
    """
    work = ad_work(account_id, {"name": "old ad", "adset_id": _AD_SET_ID})
    behaviour = Behaviour()
    step = timedelta(days=old.days) / old.count
    sets = []
    for number in range(old.count):
        created = now - step * (old.count - number)
        request = Request(new_id(), work, created, created)
        name = f"old set {number + 1}"
        made = RequestSet(new_id(), account_id, name, [request], behaviour, created, created)
        made.advance(now=created, perform=lambda _request, _work: {"id": new_id()})
        sets.append(made)
    return sets
