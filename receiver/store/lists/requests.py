"""The list of requests."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from receiver.store.lists.conditions import branches_of, is_branched, is_one_of
from receiver.store.lists.paging import Conditions, Listing, Order
from receiver.store.models import Request

COLUMNS = [column for column in Request.__table__.columns if column.name != "input"]


@dataclass(frozen=True)
class RequestFilter:
    """What the list is narrowed to. ``account_ids`` are those that the asker may see.

    ``statuses`` are taken in each of the spellings that Facebook is known to use.
    """

    account_ids: Collection[int]
    ids: Sequence[int] = ()
    request_set_id: int | None = None
    scope_object_id: int | None = None
    created_object_id: int | None = None
    statuses: Sequence[str] = ()
    error_codes: Sequence[int] = ()


def listing(wanted: RequestFilter, *, is_descending: bool = True) -> Listing:
    """Return what to list: the most selective filter that an index serves leads."""
    filters: dict[str, Conditions] = {
        "ids": is_one_of(Request.id, wanted.ids),
        "created_object_id": is_one_of(Request.created_object_id, _one(wanted.created_object_id)),
        "request_set_id": is_one_of(Request.request_set_id, _one(wanted.request_set_id)),
        "scope_object_id": is_one_of(Request.scope_object_id, _one(wanted.scope_object_id)),
        "error_codes": is_one_of(Request.error_code, wanted.error_codes),
        "statuses": is_one_of(Request.status, spellings(wanted.statuses)),
    }
    leading = _leading(wanted, filters)
    rest = [condition for name, each in filters.items() if name != leading for condition in each]
    return Listing(
        COLUMNS,
        Order(Request.id, Request.id, is_descending=is_descending),
        branches=_branches(wanted, filters, leading),
        residual=tuple(rest),
        led_by=_led_by(wanted, leading),
    )


def _led_by(wanted: RequestFilter, leading: str) -> tuple[Any, int] | None:
    """An ad set may have very many requests, none of them among the newest of its account."""
    if leading != "scope_object_id":
        return None
    return Request.scope_object_id, wanted.scope_object_id or 0


def _leading(wanted: RequestFilter, filters: dict[str, Conditions]) -> str:
    branched = {"error_codes": wanted.error_codes, "statuses": spellings(wanted.statuses)}
    for name, conditions in filters.items():
        values = branched.get(name)
        if conditions and (values is None or is_branched(wanted.account_ids, values)):
            return name
    return "account"


def _branches(
    wanted: RequestFilter, filters: dict[str, Conditions], leading: str
) -> list[Conditions]:
    account, account_ids = Request.account_id, wanted.account_ids
    if leading == "error_codes":
        return branches_of(account, account_ids, (Request.error_code, wanted.error_codes))
    if leading == "statuses":
        return branches_of(account, account_ids, (Request.status, spellings(wanted.statuses)))
    if leading == "account":
        return branches_of(account, account_ids)
    if leading == "scope_object_id":
        return [(account.in_(account_ids),)]
    return [(account.in_(account_ids), *filters[leading])]


def spellings(statuses: Sequence[str]) -> list[str]:
    """Return each status as Facebook may have written it: ``SUCCESS``, ``Success``, ``success``."""
    return list(
        dict.fromkeys(
            spelled
            for status in statuses
            for spelled in (status.upper(), status.capitalize(), status.lower())
        )
    )


def _one(value: int | None) -> Sequence[int]:
    return () if value is None else (value,)
