"""What admin calls may be asked with: checked, described, and unknown parameters refused (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self, get_origin

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
    model_validator,
)
from pydantic.json_schema import WithJsonSchema
from pydantic_core import core_schema

from receiver.graph.vocabulary import CREATE_EDGES
from receiver.lifecycle.verdict import VERDICTS
from receiver.store.deliveries import STATES as DELIVERY_STATES
from receiver.store.intents import STATES
from receiver.store.lists.conditions import Between
from receiver.store.types import MAX_ID

DEFAULT_LIMIT = 50
MAX_LIMIT = 500
LOOK_KINDS = ("set", "sweep", "requests", "edge", "create")
CAUSES = ("notification", "poll", "read")
_MOST_WORDS = 10


def _split(value: object) -> list[str]:
    given = value if isinstance(value, list) else [value]
    words = [word.strip() for one in given for word in str(one).split(",")]
    if words and not all(words):
        raise ValueError("must not be empty")
    return words


class OneOf:
    """A list of words from a closed list, separated by commas or given several times."""

    def __init__(self, allowed: Sequence[str]) -> None:
        self._allowed = tuple(allowed)

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, _schema: core_schema.CoreSchema, _handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "array", "items": {"type": "string", "enum": list(self._allowed)}}

    def _check(self, value: object) -> list[str]:
        given = [word.lower() for word in _split(value)]
        if any(word not in self._allowed for word in given):
            raise ValueError(f"must be some of {', '.join(self._allowed)}")
        return list(dict.fromkeys(given))


def _number(text: str, *, what: str) -> int:
    if not re.fullmatch(r"[0-9]{1,19}", text) or not 1 <= int(text) <= MAX_ID:
        raise ValueError(f"must be {what}")
    return int(text)


def _account(value: object) -> int:
    return _number(
        str(value).strip().removeprefix("act_"), what="an ad account's id, with or without act_"
    )


def _accounts(value: object) -> list[int]:
    return [_account(word) for word in _split(value)]


def _id(value: object) -> int:
    return _number(str(value).strip(), what=f"a number from 1 to {MAX_ID}")


def _ids(value: object) -> list[int]:
    return [_id(word) for word in _split(value)]


def _codes(value: object) -> list[int]:
    given = _split(value)
    if any(not re.fullmatch(r"-?[0-9]{1,10}", word) for word in given):
        raise ValueError("must be error codes, separated by commas")
    return [int(word) for word in given]


def _written(value: object) -> object:
    # A bare number would be read as seconds since 1970.
    if not re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]", str(value)):
        raise ValueError("must be a moment with its zone, like 2026-01-31T12:00:00Z")
    return value


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("lies outside of the calendar") from None


_NUMBER = "([1-9][0-9]{0,17}|[1-8][0-9]{18})"
_ID_SCHEMA = {"type": "string", "pattern": f"^{_NUMBER}$"}
_ACCOUNT_SCHEMA = {"type": "string", "pattern": f"^(act_)?{_NUMBER}$"}
_CODE_SCHEMA = {"type": "integer", "minimum": -(10**9), "maximum": 10**9}


def _list_of(items: dict[str, Any]) -> WithJsonSchema:
    return WithJsonSchema({"type": "array", "items": items, "maxItems": _MOST_WORDS})


_few = Field(max_length=_MOST_WORDS)

AccountId = Annotated[int, BeforeValidator(_account), WithJsonSchema(_ACCOUNT_SCHEMA)]
AccountIds = Annotated[list[int], _few, BeforeValidator(_accounts), _list_of(_ACCOUNT_SCHEMA)]
Id = Annotated[int, BeforeValidator(_id), WithJsonSchema(_ID_SCHEMA)]
Ids = Annotated[list[int], _few, BeforeValidator(_ids), _list_of(_ID_SCHEMA)]
ErrorCodes = Annotated[list[int], _few, BeforeValidator(_codes), _list_of(_CODE_SCHEMA)]
Moment = Annotated[AwareDatetime, BeforeValidator(_written), AfterValidator(_in_utc)]
Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
Words = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]


def _without_null(schema: dict[str, Any]) -> None:
    """Describe what may be left out as what it is: a query has no word for null."""
    for described in schema.get("properties", {}).values():
        kinds = [one for one in described.pop("anyOf", ()) if one != {"type": "null"}]
        for kind in kinds:
            described.update(kind)
        if described.get("default", 0) is None:
            del described["default"]


class Parameters(BaseModel):
    """Parameters that a call knows; any other is refused."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_without_null)


class NumberPath(Parameters):
    """The receiver's own number of a row."""

    number: Id = Field(description="The receiver's own number of it.")


ActionName = Literal["look", "collect", "cancel", "repoint", "resubmit", "replay"]


class ActionPath(NumberPath):
    """A set, and what is to be done to it."""

    action: ActionName = Field(description="What is to be done to it.")


class AdoptBody(Parameters):
    facebook_id: Id = Field(description="Facebook's id of the set.")


class AbandonBody(Parameters):
    reason: Words = Field(description="Why it is given up, for those who read it later.")


class PlanPath(Parameters):
    plan: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{10,32}$")] = Field(
        description="The plan's id."
    )


class AccountPath(Parameters):
    account: AccountId = Field(description="An ad account's id, with or without act_.")


class AccountQuery(Parameters):
    account: AccountIds = Field(default=[], description="Only these ad accounts.")


class PageQuery(Parameters):
    """``sort`` is the column that sorts a list; a minus before it asks for the newest first."""

    sort: str
    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=MAX_LIMIT, description="Rows a page.")
    cursor: str | None = Field(default=None, description="A page's next_cursor.")
    count: bool = Field(
        default=False, description="Whether to count the whole list, up to 10,000 rows."
    )

    @property
    def sorted_by(self) -> str:
        return self.sort.removeprefix("-")

    @property
    def is_descending(self) -> bool:
        return self.sort.startswith("-")

    def filters(self) -> dict[str, Any]:
        """Return all that narrows the list, as JSON has it."""
        return self.model_dump(mode="json", exclude={"sort", "limit", "cursor", "count"})


class SinceUntil(AccountQuery):
    since: Moment | None = Field(default=None, description="Not before this moment.")
    until: Moment | None = Field(default=None, description="Before this moment.")

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        check_order(self.since, self.until, names=("since", "until"))
        return self

    def between(self) -> Between:
        return Between(self.since, self.until)


def check_order(since: datetime | None, until: datetime | None, *, names: tuple[str, str]) -> None:
    """Raise ValueError for a time range that ends before it begins."""
    if since is not None and until is not None and until <= since:
        raise ValueError(f"{names[1]}: must be later than {names[0]}")


class SetFilters(SinceUntil):
    """``since`` and ``until`` are about when a set was made."""

    state: Annotated[list[str], OneOf(STATES)] = Field(
        default=[], description="In one of these states."
    )
    verdict: Annotated[list[str], OneOf(VERDICTS)] = Field(
        default=[], description="With one of these verdicts on its notification."
    )
    kind: Annotated[list[str], OneOf(CREATE_EDGES)] = Field(
        default=[], description="Created on one of these edges."
    )
    learned_by: Annotated[list[str], OneOf(CAUSES)] = Field(
        default=[], description="How the receiver learned that it was complete."
    )
    request_set: Ids = Field(default=[], description="The receiver's own numbers of sets.")
    facebook_id: Id | None = Field(default=None, description="Facebook's id of the set.")
    parent: Id | None = Field(
        default=None, description="Sent again what failed of the set with this number."
    )
    name: Words | None = Field(
        default=None, description="Holds this text in its name, in any case."
    )
    completed_since: Moment | None = Field(default=None, description="Complete since then.")
    completed_until: Moment | None = Field(default=None, description="Complete before then.")
    late: bool = Field(default=False, description="Past its deadline, and without an end.")
    with_errors: bool | None = Field(default=None, description="Whether requests of it failed.")

    @model_validator(mode="after")
    def _check_completed(self) -> Self:
        names = ("completed_since", "completed_until")
        check_order(self.completed_since, self.completed_until, names=names)
        return self

    def completed(self) -> Between:
        return Between(self.completed_since, self.completed_until)


class PlanBody(Parameters):
    action: ActionName = Field(description="What is to be done to each of them.")
    filters: SetFilters = Field(description="The same as those of the list of sets.")
    cursor: str | None = Field(
        default=None, description="Another plan's next_cursor: to plan the rest."
    )


class SetsQuery(PageQuery, SetFilters):
    sort: Literal["-created_at", "created_at", "-completed_at", "completed_at"] = Field(
        default="-created_at",
        description="The minus asks for the newest first. By completed_at, only complete sets.",
    )


class RequestFilters(AccountQuery):
    request_set: Id | None = Field(default=None, description="Of the set with this number.")
    id: Ids = Field(default=[], description="Facebook's ids of requests.")
    ad_set: Id | None = Field(default=None, description="For this ad set's ads.")
    created_object: Id | None = Field(default=None, description="That made this object.")
    status: Annotated[list[Word], BeforeValidator(_split), _few] = Field(
        default=[], description="With one of these statuses, in any case."
    )
    error_code: ErrorCodes = Field(default=[], description="Failed with one of these codes.")


class RequestsQuery(PageQuery, RequestFilters):
    sort: Literal["-id", "id"] = Field(
        default="-id", description="By Facebook's id; the minus asks for the newest first."
    )


class ExportQuery(Parameters):
    format: Literal["ndjson", "csv"] = Field(
        default="ndjson", description="One JSON object a line, or a table for spreadsheets."
    )


class SetsExport(ExportQuery, SetFilters):
    pass


class RequestsExport(ExportQuery, RequestFilters):
    pass


class NotificationsQuery(PageQuery, SinceUntil):
    request_set: Id | None = Field(default=None, description="Of the set with this number.")
    verdict: Annotated[list[str], OneOf(VERDICTS)] = Field(
        default=[], description="Of sets with one of these verdicts."
    )
    sort: Literal["-received_at", "received_at"] = Field(
        default="-received_at", description="The minus asks for the newest first."
    )


class LooksQuery(PageQuery, SinceUntil):
    request_set: Id | None = Field(default=None, description="At the set with this number.")
    verdict: Annotated[list[str], OneOf(VERDICTS)] = Field(
        default=[], description="That showed one of these verdicts."
    )
    kind: Annotated[list[str], OneOf(LOOK_KINDS)] = Field(default=[], description="What was read.")
    why: Annotated[list[str], OneOf(CAUSES)] = Field(default=[], description="Why it was read.")
    with_errors: bool | None = Field(default=None, description="Whether the reading failed.")
    sort: Literal["-started_at", "started_at"] = Field(
        default="-started_at", description="The minus asks for the newest first."
    )


class DeliveriesQuery(PageQuery, SinceUntil):
    request_set: Id | None = Field(default=None, description="Of the set with this number.")
    state: Annotated[list[str], OneOf(DELIVERY_STATES)] = Field(
        default=[], description="In one of these states."
    )
    sort: Literal["-created_at", "created_at"] = Field(
        default="-created_at", description="The minus asks for the newest first."
    )


class AuditQuery(PageQuery, SinceUntil):
    request_set: Id | None = Field(default=None, description="Done to the set with this number.")
    action: Annotated[list[Word], BeforeValidator(_split), _few] = Field(
        default=[], description="One of these actions."
    )
    sort: Literal["-at", "at"] = Field(
        default="-at", description="The minus asks for the newest first."
    )


class StatisticsQuery(AccountQuery):
    """At most 31 days in hours, or 400 in days; without a range the last 24 hours, or 30 days."""

    since: Moment | None = Field(default=None, description="From the hour of this moment.")
    until: Moment | None = Field(default=None, description="Before this moment.")
    interval: Literal["hour", "day"] = Field(
        default="hour", description="Whether to sum up hours or days (UTC)."
    )

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        check_order(self.since, self.until, names=("since", "until"))
        return self


def _known(model: type[Parameters]) -> Iterator[type[Parameters]]:
    for one in model.__subclasses__():
        yield one
        yield from _known(one)


def in_words(error: ValidationError, model: type[Parameters]) -> str:
    """Say what is wrong with the parameters that a model did not take."""
    return "; ".join(_sentence(one, model) for one in error.errors(include_url=False))


def _sentence(error: Any, model: type[Parameters]) -> str:
    # The place of a word in a list says nothing to whoever wrote the list.
    path = [part for part in error["loc"] if isinstance(part, str)]
    name = ".".join(path)
    if error["type"] == "extra_forbidden":
        known = ", ".join(_model_at(model, path[:-1]).model_fields)
        return f"{name}: no such parameter, take one of {known}"
    message = error["msg"].removeprefix("Value error, ")
    return f"{name}: {message}" if name else message


def _model_at(model: type[Parameters], path: Sequence[str]) -> type[Parameters]:
    """Return the model of the parameters that stand in another one's."""
    for name in path:
        inner = model.model_fields[name].annotation
        if isinstance(inner, type) and issubclass(inner, Parameters):
            model = inner
    return model


def refuse_repeats(model: type[Parameters], given: Mapping[str, Sequence[str]]) -> None:
    """Raise ValueError for a parameter that is given several times and takes one value."""
    for name, field in model.model_fields.items():
        if len(given.get(name, ())) > 1 and get_origin(field.annotation) is not list:
            raise ValueError(f"{name}: must be given once only")


MODELS = {model.__name__: model for model in _known(Parameters)}
"""Every kind of parameters, by its name."""
