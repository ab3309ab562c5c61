"""What a page is asked with: the API's own parameters, as a form sends them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import request, url_for

from receiver.web.admin.holder import holder
from receiver.web.admin.parameters import AccountQuery, NumberPath, Parameters
from receiver.web.admin.problems import Problem

ModelT = TypeVar("ModelT", bound=Parameters)

_LIST_PARTS = ("cursor", "limit", "count")
_MOMENTS = ("since", "until", "completed_since", "completed_until")
_LOCAL_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,3})?)?"
)
_EVER = "1970-01-01T00:00:00Z"
"""Before anything was complete."""


@dataclass(frozen=True)
class Filter:
    """A filter that is set; ``url`` is this page without it."""

    name: str
    value: str
    url: str


@dataclass
class Filters:
    """The filters that are set. A form's fields take theirs; the rest is shown beside them."""

    given: dict[str, str]
    _taken: set[str] = field(default_factory=set)

    def take(self, name: str) -> str:
        """Return what a field is filled with."""
        self._taken.add(name)
        return self.given.get(name, "")

    def take_moment(self, name: str) -> str:
        """Return what a field for a moment is filled with: it holds none that has a zone."""
        return _without_zone(self.take(name))

    def left(self) -> list[Filter]:
        """Return the filters that no field has taken."""
        return [
            Filter(name, value, _with(request.path, without=("cursor", name)))
            for name, value in self.given.items()
            if name not in self._taken
        ]


def read(model: type[ModelT]) -> ModelT:
    """Read the query of the present page. Raises ValidationError."""
    return model.model_validate(dict(_given()))


def read_accounts() -> AccountQuery:
    """Read which accounts the present page is about. Raises ValidationError, Problem.

    Of accounts that are not the key's there is nothing to say, least of all that all is well.
    """
    query = read(AccountQuery)
    foreign = [f"act_{one}" for one in query.account if one not in holder().account_ids]
    if foreign:
        raise Problem(404, f"Your key has no account {', '.join(foreign)}.")
    return query


def number(text: str) -> int:
    """Read the number of a row in the present page's path. Raises ValidationError."""
    return NumberPath.model_validate({"number": text}).number


def _given() -> Iterator[tuple[str, str | list[str]]]:
    """Yield what was filled in: a form also sends the fields that were left empty."""
    for name, values in request.args.lists():
        filled = [_read_value(name, value.strip()) for value in values if value.strip()]
        if filled:
            yield name, filled[0] if len(filled) == 1 else filled


def _read_value(name: str, value: str) -> str:
    # A form's own moments carry no zone: the page says that they are UTC.
    is_local = name in _MOMENTS and _LOCAL_MOMENT.fullmatch(value)
    return f"{value}Z" if is_local else value


def _without_zone(text: str) -> str:
    """Write a moment with a zone in UTC without one; leave anything else as it is."""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            return text
        in_utc = moment.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return text
    return in_utc.isoformat(timespec="milliseconds" if in_utc.microsecond else "seconds")


def filters() -> Filters:
    """Return the filters that are set, to show them."""
    given = {name: list(filter(str.strip, values)) for name, values in request.args.lists()}
    return Filters(
        {
            name: ",".join(values)
            for name, values in given.items()
            if values and name not in _LIST_PARTS
        }
    )


def is_filtered() -> bool:
    """Tell whether the page is narrowed to anything."""
    return has_only_complete() or any(name != "sort" for name in filters().given)


def has_only_complete() -> bool:
    """Tell whether the page is ordered by completion, which leaves out what is not complete."""
    return request.args.get("sort", "").strip().removeprefix("-") == "completed_at"


def url_of_next(cursor: str | None) -> str | None:
    """Return the URL of the next page with the same filters; None at the end."""
    return None if cursor is None else _with(request.path, without=("cursor",), cursor=cursor)


def url_of_first() -> str | None:
    """Return the URL of the first page, from a later one."""
    return _with(request.path, without=("cursor",)) if "cursor" in request.args else None


def url_with_filters(endpoint: str, **more: str) -> str:
    """Return another page's URL for what is listed on this one, and more parameters."""
    is_dated = any(filters().given.get(name) for name in ("completed_since", "completed_until"))
    if has_only_complete() and not is_dated:
        more = {"completed_since": _EVER, **more}
    return _with(url_for(endpoint), without=(*_LIST_PARTS, "sort"), **more)


def url_with_accounts(endpoint: str, **parameters: str) -> str:
    """Return another page's URL, narrowed to the accounts that this one is narrowed to."""
    account = filters().given.get("account")
    narrowed: dict[str, Any] = {**parameters, "account": account} if account else {**parameters}
    return url_for(endpoint, **narrowed)


def _with(path: str, *, without: tuple[str, ...], **more: str) -> str:
    kept = [
        (name, value)
        for name, values in request.args.lists()
        for value in values
        if value and name not in without
    ]
    query = urlencode([*kept, *more.items()])
    return f"{path}?{query}" if query else path
