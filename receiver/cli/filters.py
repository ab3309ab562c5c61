"""The filters of lists, exports and plans as options: the same as the admin API's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click
from pydantic import ValidationError

from receiver.assembly import Parts
from receiver.cli.common import ACCOUNT
from receiver.store import accounts
from receiver.store.lists.request_sets import SetFilter
from receiver.store.lists.requests import RequestFilter
from receiver.web.admin import filters, parameters
from receiver.web.admin.parameters import Parameters, RequestFilters, SetFilters

ModelT = TypeVar("ModelT", bound=Parameters)
Command = Callable[..., Any]

_SETS: dict[str, str] = {
    "state": "In one of these states, separated by commas.",
    "verdict": "With one of these verdicts on its notification.",
    "kind": "Created on one of these edges.",
    "learned-by": "How the receiver learned that it was complete: notification, poll or read.",
    "facebook-id": "Facebook's id of the set.",
    "parent": "Sent again what failed of the set with this number.",
    "name": "Holds this text in its name, in any case.",
    "since": "Made since then: a moment with its zone, like 2026-01-31T12:00:00Z.",
    "until": "Made before then.",
    "completed-since": "Complete since then.",
    "completed-until": "Complete before then.",
}
_REQUESTS: dict[str, str] = {
    "set": "Of the set with this number.",
    "id": "With one of these ids at Facebook, separated by commas.",
    "ad-set": "For this ad set's ads.",
    "status": "With one of these statuses, separated by commas.",
    "error-code": "Failed with one of these codes.",
    "created-object": "That made this object.",
}


set_numbers = click.option("--request-set", help="With one of these numbers, separated by commas.")
"""The numbers of sets, for commands that do not take them as arguments."""


def set_filters(command: Command) -> Command:
    """Add the filters of sets to a command."""
    command = click.option("--late", is_flag=True, help="Past its deadline, without an end.")(
        command
    )
    command = click.option(
        "--with-errors/--without-errors", default=None, help="Whether requests of it failed."
    )(command)
    return _with_options(command, _SETS)


def request_filters(command: Command) -> Command:
    """Add the filters of requests to a command."""
    return _with_options(command, _REQUESTS)


def _with_options(command: Command, helps: dict[str, str]) -> Command:
    for name, text in reversed(helps.items()):
        command = click.option(f"--{name}", help=text)(command)
    return click.option(
        "--account", "account", type=ACCOUNT, multiple=True, help="Only this ad account's."
    )(command)


def read(model: type[ModelT], given: dict[str, Any]) -> ModelT:
    """Read the options that were given. Raises click.UsageError."""
    filled = {name: value for name, value in given.items() if value is not None and value != ()}
    if "account" in filled:
        filled["account"] = [str(one) for one in filled["account"]]
    try:
        return model.model_validate(filled)
    except ValidationError as error:
        raise click.UsageError(parameters.in_words(error, model)) from error


def of_sets(parts: Parts, query: SetFilters) -> SetFilter:
    """Return what a list of sets is narrowed to: here, every account may be seen."""
    return filters.of_sets(query, _all(parts), now=parts.now())


def of_requests(parts: Parts, query: RequestFilters) -> RequestFilter:
    """Return what a list of requests is narrowed to."""
    return filters.of_requests(query, _all(parts))


def _all(parts: Parts) -> list[int]:
    with parts.database.reading() as session:
        return accounts.all_ids(session)
