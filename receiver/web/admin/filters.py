"""What a list may be asked for: checked, and unknown parameters refused (pure)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from receiver.graph.serve import BadParameter, decode_cursor
from receiver.lifecycle.verdict import VERDICTS
from receiver.store.intents import STATES
from receiver.store.types import MAX_ID

DEFAULT_LIMIT = 50
MAX_LIMIT = 500


class BadFilter(ValueError):
    """A parameter that a list does not know or cannot use; the message says which and why."""


def _words(allowed: tuple[str, ...]) -> Any:
    def split(value: object) -> list[str]:
        words = [word.strip().lower() for word in str(value).split(",") if word.strip()]
        unknown = [word for word in words if word not in allowed]
        if unknown:
            raise ValueError(f"must be some of {', '.join(allowed)}")
        return words

    return BeforeValidator(split)


def _account(value: object) -> int:
    match = re.fullmatch(r"(?:act_)?([1-9][0-9]{0,18})", str(value).strip())
    if match is None or int(match[1]) > MAX_ID:
        raise ValueError("must be an ad account's id, with or without act_")
    return int(match[1])


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("lies outside of the calendar") from None


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]


class ListFilter(BaseModel):
    """The parameters of every list. Times are ISO 8601 with their zone; ``until`` is excluded."""

    model_config = ConfigDict(extra="forbid")

    state: Annotated[list[str], _words(STATES)] = []
    verdict: Annotated[list[str], _words(VERDICTS)] = []
    account: Annotated[int | None, BeforeValidator(_account)] = None
    since: Moment | None = None
    until: Moment | None = None
    request_set: int | None = Field(default=None, ge=1, le=MAX_ID)
    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)
    cursor: str | None = None

    def below(self) -> int | None:
        """The id that the page goes on from. Raises BadFilter."""
        try:
            return decode_cursor({"cursor": self.cursor}, "cursor")
        except BadParameter as error:
            raise BadFilter("cursor: take it from a page's next_cursor") from error


def read_filter(
    parameters: Mapping[str, str], *, only: Collection[str] = ListFilter.model_fields.keys()
) -> ListFilter:
    """Read a list's parameters, of which ``only`` some may be given. Raises BadFilter."""
    unknown = [name for name in parameters if name not in only]
    if unknown:
        raise BadFilter(f"{unknown[0]}: no such parameter, take one of {', '.join(only)}")
    try:
        wanted = ListFilter.model_validate(dict(parameters))
    except ValidationError as error:
        raise BadFilter("; ".join(_in_words(one) for one in error.errors())) from error
    if wanted.since and wanted.until and wanted.until <= wanted.since:
        raise BadFilter("until: must be later than since")
    return wanted


def _in_words(error: Any) -> str:
    name = ".".join(str(part) for part in error["loc"])
    return f"{name}: {error['msg'].removeprefix('Value error, ')}"
