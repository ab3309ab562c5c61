"""What a page is asked with: the API's own parameters, as a form sends them."""

from __future__ import annotations

import re
from typing import TypeVar
from urllib.parse import urlencode

from flask import request, url_for

from receiver.web.admin.parameters import NumberPath, Parameters

ModelT = TypeVar("ModelT", bound=Parameters)

_LIST_PARTS = ("cursor", "limit", "count")
_LOCAL_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?")


def read(model: type[ModelT]) -> ModelT:
    """Read the query of the present page. Raises ValidationError."""
    return model.model_validate(_given())


def number(text: str) -> int:
    """Read the number of a row in the present page's path. Raises ValidationError."""
    return NumberPath.model_validate({"number": text}).number


def _given() -> dict[str, str | list[str]]:
    """Return what was filled in: a form also sends the fields that were left empty."""
    given: dict[str, str | list[str]] = {}
    for name, values in request.args.lists():
        filled = [_with_zone(value.strip()) for value in values if value.strip()]
        if filled:
            given[name] = filled[0] if len(filled) == 1 else filled
    return given


def _with_zone(value: str) -> str:
    # A form's own moments carry no zone: the page says that they are UTC.
    return f"{value}Z" if _LOCAL_MOMENT.fullmatch(value) else value


def filters() -> dict[str, str]:
    """Return the filters that are set, to show them in the form."""
    given = {name: list(filter(str.strip, values)) for name, values in request.args.lists()}
    return {name: ",".join(values) for name, values in given.items() if values}


def is_filtered() -> bool:
    """Tell whether the page is narrowed to anything."""
    return any(name not in (*_LIST_PARTS, "sort") for name in filters())


def url_of_next(cursor: str | None) -> str | None:
    """Return the URL of the next page with the same filters; None at the end."""
    return None if cursor is None else _url(cursor=cursor)


def url_of_first() -> str | None:
    """Return the URL of the first page, from a later one."""
    return _url(cursor=None) if "cursor" in request.args else None


def url_with_filters(endpoint: str, **more: str) -> str:
    """Return another page's URL with the filters of this one, and more parameters."""
    return _with(url_for(endpoint), without=(*_LIST_PARTS, "sort"), **more)


def _url(*, cursor: str | None) -> str:
    following = {} if cursor is None else {"cursor": cursor}
    return _with(request.path, without=("cursor",), **following)


def _with(path: str, *, without: tuple[str, ...], **more: str) -> str:
    kept = [
        (name, value)
        for name, values in request.args.lists()
        for value in values
        if value and name not in without
    ]
    query = urlencode([*kept, *more.items()])
    return f"{path}?{query}" if query else path
