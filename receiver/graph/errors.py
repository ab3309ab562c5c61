"""What can go wrong with a call to Graph, and what each of its error codes asks for.

CallFailed
├── NotSent            nothing left this machine: no connection, DNS, TLS, or its moment had passed
├── NoAnswer           sent, and no complete answer: reset, cut
│   ├── AnswerTooLate  no complete answer before a time-out or the deadline
│   └── UnansweredOperation  the call was answered, and an operation of its batch was not
├── NotModified        a 304: nothing is new since the ETag that the call named
├── UnreadableAnswer   an answer in HTML, without JSON, or without what was asked for
│   └── AnswerTooLong  longer than what is read of an answer
└── GraphError         Graph said no

The codes are the facts' section 4. The table is closed: a code that it does not know is not
repeated, unless Facebook itself calls the error transient. Texts may change, so only codes count.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus

from receiver.graph.usage import NO_USAGE, Usage


class Advice(StrEnum):
    """What an error asks for. It is meant for reads: a create is never repeated by itself."""

    RETRY = "retry"
    WAIT = "wait"
    ASK_A_PERSON = "ask a person"
    NEVER_REPEAT = "never repeat"


class CallFailed(Exception):
    """A call to Graph that gave no result.

    ``usage`` is what the last answer said of the rate limit; ``calls`` is how many HTTP calls were
    tried; ``fbtrace_id`` is Facebook's own name for the call, where it gave one; ``date`` its own
    time then. Its text holds neither token nor secret.
    """

    usage: Usage = NO_USAGE
    calls: int = 0
    fbtrace_id: str | None = None
    date: datetime | None = None

    @property
    def is_final(self) -> bool:
        """Whether the same call fails the same, however often it is made."""
        return False


class NotSent(CallFailed):
    """Nothing left this machine."""


class NoAnswer(CallFailed):
    """At least a byte may have left, and no complete answer came back."""


class AnswerTooLate(NoAnswer):
    """No complete answer came in time."""


class UnansweredOperation(NoAnswer):
    """A batch took Facebook too long, and this operation of it was not reached (its page)."""


class NotModified(CallFailed):
    """A 304: nothing is new since the ETag that the call named."""


class UnreadableAnswer(CallFailed):
    """An answer came, and it is not what was asked for; ``first_bytes`` shows how it begins."""

    def __init__(self, reason: str, *, http_status: int, first_bytes: bytes = b"") -> None:
        super().__init__(f"{reason} (HTTP {http_status})")
        self.http_status = http_status
        self.first_bytes = first_bytes

    @property
    def is_server_error(self) -> bool:
        return _is_server_error(self.http_status)


class AnswerTooLong(UnreadableAnswer):
    """An answer came that is longer than what is read of one."""

    def __init__(self, *, http_status: int) -> None:
        super().__init__("The answer is too long", http_status=http_status)


@dataclass(eq=False)
class GraphError(CallFailed):
    """Graph said no. ``body`` is its answer as it came; ``code`` is None when it gave none."""

    message: str
    http_status: int
    type: str | None = None
    code: int | None = None
    subcode: int | None = None
    is_transient: bool = False
    fbtrace_id: str | None = None
    user_title: str | None = None
    user_message: str | None = None
    www_authenticate: str | None = None
    body: bytes = field(default=b"", repr=False)

    def __str__(self) -> str:
        code = "no code" if self.code is None else f"code {self.code}"
        subcode = "" if self.subcode is None else f"/{self.subcode}"
        return f"{self.message} ({code}{subcode}, HTTP {self.http_status})"

    @property
    def advice(self) -> Advice:
        return advice(
            self.code,
            self.subcode,
            is_transient=self.is_transient,
            http_status=self.http_status,
        )

    @property
    def is_final(self) -> bool:
        return self.advice is Advice.NEVER_REPEAT

    @property
    def meaning(self) -> str | None:
        """What the code means, in words for people; None for a code that the table lacks."""
        row = find_row(self.code, self.subcode)
        return None if row is None else row.meaning


@dataclass(frozen=True)
class Row:
    """One row of the table: ``subcodes`` narrow it; None stands for any, of code and subcode."""

    codes: Container[int] | None
    subcodes: Container[int] | None
    advice: Advice
    meaning: str

    def covers(self, code: int | None, subcode: int | None) -> bool:
        return _is_in(self.codes, code) and _is_in(self.subcodes, subcode)


def _is_in(numbers: Container[int] | None, number: int | None) -> bool:
    return numbers is None or (number is not None and number in numbers)


_RETRY, _WAIT = Advice.RETRY, Advice.WAIT
_PERSON, _NEVER = Advice.ASK_A_PERSON, Advice.NEVER_REPEAT

TABLE: tuple[Row, ...] = (
    # Subcodes that ask for something else than their code, or that come with many codes.
    Row((17,), (1885172,), _NEVER, "The spending cap was changed too often today"),
    Row((613,), (1487632,), _NEVER, "An ad set's budget may change four times an hour"),
    Row((613,), (1487225,), _NEVER, "The account's spend allows no more ads for now"),
    Row((2601,), (1815107,), _RETRY, "The report cannot be read yet"),
    Row(None, (1487390,), _RETRY, "A creative could not be created; often passes"),
    Row((100,), (33,), _NEVER, "The object is gone, or this token may not see it"),
    # Facebook's own trouble.
    Row((1,), None, _RETRY, "An unknown error, or too much data was asked for"),
    Row((2,), None, _RETRY, "The service is not available for a moment"),
    Row((960,), None, _RETRY, "The batch was cut off"),
    Row((1487390,), None, _RETRY, "A creative could not be created; often passes"),
    # Rate limits.
    Row((4,), None, _WAIT, "The app's rate limit is used up"),
    Row((17,), None, _WAIT, "The user's or ad account's rate limit is used up"),
    Row((32,), None, _WAIT, "The page's rate limit is used up"),
    Row((341,), None, _WAIT, "The app's limit is used up"),
    Row((613,), None, _WAIT, "A rate limit of this account or kind of call is used up"),
    Row(range(80000, 80015), None, _WAIT, "The rate limit of this business use case is used up"),
    # Tokens and permissions.
    Row((102, 190), None, _PERSON, "The access token is no longer valid"),
    Row((458, 459, 460, 463, 464, 467, 492), None, _PERSON, "The login behind the token is over"),
    Row((3,), None, _PERSON, "The app lacks the capability for this call"),
    Row((10,), None, _PERSON, "The permission for this call is not granted"),
    Row(range(200, 300), None, _PERSON, "A permission is missing"),
    Row((368,), None, _PERSON, "Facebook blocked this as a breach of its policies"),
    Row((2635,), None, _PERSON, "This version of the API is no longer served"),
    # Calls that stay wrong however often they are made.
    Row((100,), None, _NEVER, "A parameter is wrong"),
    Row((104,), None, _NEVER, "The signature is wrong"),
    Row((105,), None, _NEVER, "There are too many parameters"),
    Row((194,), None, _NEVER, "A required parameter is missing"),
    Row((2500,), None, _NEVER, "The query cannot be parsed, or has no token"),
    Row((506,), None, _NEVER, "The same was posted before"),
    Row((803,), None, _NEVER, "There is no such object"),
    Row(range(1487000, 1488000), None, _NEVER, "The ad's content is not accepted"),
    Row(range(1870000, 1871000), None, _NEVER, "The audience is not accepted"),
    Row(range(1885000, 1886000), None, _NEVER, "The creative is not accepted"),
)
"""The first row that covers an error holds."""

_TOO_MUCH_DATA = 1
"""An unknown error, or "reduce the amount of data": only the text tells, and texts may change."""
_BATCH_CUT_OFF = 960

OUTCOME_UNKNOWN_CODES = frozenset((None, 1, 2, 960))
"""With these, Facebook itself does not know whether what was asked for was carried out."""


def find_row(code: int | None, subcode: int | None) -> Row | None:
    """Return the table's row for an error, or None for one that the table does not know."""
    return next((row for row in TABLE if row.covers(code, subcode)), None)


def advice(
    code: int | None, subcode: int | None, *, is_transient: bool, http_status: int
) -> Advice:
    """Return what an error asks for."""
    row = find_row(code, subcode)
    if row is not None:
        return row.advice
    return Advice.RETRY if is_transient or _is_server_error(http_status) else Advice.NEVER_REPEAT


def is_too_much(failure: object) -> bool:
    """Tell whether a read that failed may be answered if it asks for less."""
    return is_too_much_data(failure) or is_too_much_for_a_call(failure)


def is_too_much_data(failure: object) -> bool:
    """Tell whether an answer was longer than Facebook gives, or than is read of one."""
    is_refused = isinstance(failure, GraphError) and failure.code == _TOO_MUCH_DATA
    return is_refused or isinstance(failure, AnswerTooLong)


def is_too_much_for_a_call(failure: object) -> bool:
    """Tell whether an operation may have failed for what else its call asked for."""
    if isinstance(failure, GraphError):
        return failure.code == _BATCH_CUT_OFF
    return isinstance(failure, (AnswerTooLong, AnswerTooLate, UnansweredOperation))


def may_be_its_size(failure: object) -> bool:
    """Tell whether a read that failed may do so for how much it asks: Facebook does not say why.

    It may as well be out of order. Its page asks for less where a call takes too long, and what
    stands before it gives up with a 5xx.
    """
    if isinstance(failure, GraphError):
        return failure.advice is Advice.RETRY
    return isinstance(failure, CallFailed) and outcome_is_unknown(failure)


def outcome_is_unknown(error: CallFailed) -> bool:
    """Tell whether a create that failed like this may have been carried out all the same.

    Graph's codes 1, 2 and 960 and any 5xx leave it open; so does an error without a code, which
    need not be Graph's own.
    """
    if isinstance(error, GraphError):
        return error.code in OUTCOME_UNKNOWN_CODES or _is_server_error(error.http_status)
    return not isinstance(error, NotSent)


def _is_server_error(http_status: int) -> bool:
    return http_status >= HTTPStatus.INTERNAL_SERVER_ERROR
