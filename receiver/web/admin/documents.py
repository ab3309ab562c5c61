"""What admin calls answer (pure): ids as strings, times in ISO 8601 with Z, Facebook's as text."""

from __future__ import annotations

import base64
import functools
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from receiver.graph import errors
from receiver.lifecycle.words import advice_on


def _text(value: object) -> object:
    """What Facebook or a caller sent as bytes, as text."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _shown_uri(value: object) -> object:
    """A caller's URI without what may be a secret of theirs: user, password, query, fragment."""
    if not isinstance(value, str):
        return value
    parts = urlsplit(value)
    host = parts.netloc.rpartition("@")[2]
    hidden = "?(hidden)" if parts.query or parts.fragment else ""
    return f"{parts.scheme}://{host}{parts.path}{hidden}"


Id = Annotated[str, BeforeValidator(str)]
MaybeId = Annotated[
    str | None, BeforeValidator(lambda value: None if value is None else str(value))
]
Text = Annotated[str | None, BeforeValidator(_text)]
Uri = Annotated[str | None, BeforeValidator(_shown_uri)]


class Document(BaseModel):
    model_config = ConfigDict(extra="ignore")


class ProblemDocument(Document):
    """A refusal (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = Field(description="What is wrong, and what to do.")


class Counted(Document):
    at_least: int
    is_exact: bool = Field(description="False where counting stopped at the cap or the window.")


class Page(Document):
    next_cursor: str | None = Field(description="Where to go on; null at the end of the list.")
    is_partial: bool = Field(
        description="Whether rows may be missing here: the reading stopped before the page was "
        "full, because no index serves these filters together (go on with next_cursor), or so many "
        "notifications wait for the worker that only the newest were looked through."
    )
    count: Counted | None = Field(default=None, description="Only when asked for.")


class RequestSet(Document):
    id: Id
    account_id: Id
    api_key_id: MaybeId
    edge: str
    name: str
    spec_count: int
    parent_id: MaybeId
    twin_of: MaybeId
    caller_notification_uri: Uri
    caller_notification_mode: str
    state: str
    state_reason: str | None
    flag: str | None
    verdict: str
    learned_by: str | None
    is_late: bool
    is_missing: bool
    facebook_id: MaybeId
    owner_id: MaybeId
    attempt: int
    is_completed: bool
    total_count: int | None
    initial_count: int | None
    in_progress_count: int | None
    success_count: int | None
    error_count: int | None
    canceled_count: int | None
    notification_status: str | None
    notification_result: Text
    error_http_status: int | None
    error_body: Text
    created_time: str | None
    updated_time: str | None
    created_at: datetime
    opened_at: datetime | None
    hinted_at: datetime | None
    completed_at: datetime | None
    collected_at: datetime | None
    deadline_at: datetime | None
    missing_at: datetime | None
    absent_at: datetime | None
    abandoned_at: datetime | None
    doubled_at: datetime | None
    recheck_at: datetime | None
    look_at: datetime | None
    looked_at: datetime | None
    quiet_looks: int
    uri_pending: bool


class Submission(Document):
    attempt: int
    outcome: str
    facebook_id: MaybeId
    error: str | None
    created_at: datetime
    send_before: datetime
    answered_at: datetime | None


class FoundSet(Document):
    facebook_id: Id
    attempt: int
    found_at: datetime


class ErrorCount(Document):
    error_code: int | None = Field(description="Null where requests failed without a code.")
    requests: int
    meaning: str | None
    advice: str


class RequestSetDetail(RequestSet):
    submissions: list[Submission]
    found_sets: list[FoundSet] = Field(description="More than one: Facebook has it twice.")
    children: list[Id] = Field(description="The sets that sent failed requests of it again.")
    errors: list[ErrorCount] = Field(description="How many of its requests failed, by code.")


class Request(Document):
    id: Id
    request_set_id: Id
    account_id: MaybeId
    scope_object_id: MaybeId
    status: str
    is_final: bool
    type: str | None
    created_object_id: MaybeId
    error_code: int | None
    error_message: str | None
    error_meaning: str | None = None
    error_advice: str | None = None
    result: Text
    created_time: str | None
    updated_time: str | None
    read_at: datetime


class Notification(Document):
    id: Id
    request_set_id: Id
    account_id: MaybeId
    attempt: int
    received_at: datetime
    applied_at: datetime | None
    method: str
    remote_address: str
    query: str
    body: Text = Field(description="As text for people; /notifications/<number>/raw is exact.")
    body_cut: str | None
    repeats: int


class HeaderField(Document):
    name: str
    value: str


class NotificationDetail(Notification):
    headers: list[HeaderField]
    body_base64: str


class Look(Document):
    id: Id
    request_set_id: Id
    account_id: Id
    kind: str
    why: str
    started_at: datetime
    duration_ms: int
    calls: int
    rows: int
    is_completed: bool | None
    verdict: str | None
    error_code: int | None
    error: str | None


class Delivery(Document):
    id: Id
    request_set_id: Id
    account_id: MaybeId
    message_id: str
    uri: Uri
    state: str
    attempts: int
    send_at: datetime | None
    result_status: str | None
    result_response: str | None
    created_at: datetime
    ended_at: datetime | None


class DeliveryAttempt(Document):
    number: int
    started_at: datetime
    duration_ms: int
    http_status: int | None
    error: str | None
    response: str | None


class DeliveryDetail(Delivery):
    made: list[DeliveryAttempt]


class AuditEntry(Document):
    id: Id
    at: datetime
    actor: str
    account_id: MaybeId
    request_set_id: MaybeId
    action: str
    outcome: str = Field(description="begun, and then done, refused or failed")
    detail: str = Field(description="What it was done with, in words.")
    note: str | None = Field(description="How it ended, in words.")


class PointsLeft(Document):
    """How many points each kind of call may spend now."""

    poll: float
    collect: float
    create: float


class Account(Document):
    account_id: Id
    health: str = Field(description="ok, waiting (Facebook asked to), or parked (a person has to)")
    reason: str | None
    resume_at: datetime | None
    tier: str | None
    score: float
    score_limit: float
    score_percent: float
    points_left: PointsLeft
    app_percent: float | None
    app_percent_at: datetime | None
    loss_rate: float = Field(description="Of its newest sets, the share without a notification.")
    sets_learned_from: int
    page_limit: int | None
    created_at: datetime


class Outcomes(Document):
    """The sets of one hour or day: made in it, and collected in it."""

    at: datetime
    created: int
    rejected: int
    collected: int
    by_notification: int
    by_poll: int
    by_read: int
    with_errors: int
    requests: int
    failed_requests: int
    canceled_requests: int


class ErrorsOfPeriod(Document):
    at: datetime
    account_id: Id
    error_code: int | None = Field(description="Null where requests failed without a code.")
    meaning: str | None
    advice: str
    requests: int
    sets: int


class RequestSetPage(Page):
    data: list[RequestSet]


class RequestPage(Page):
    data: list[Request]


class NotificationPage(Page):
    data: list[Notification]


class LookPage(Page):
    data: list[Look]


class DeliveryPage(Page):
    data: list[Delivery]


class AuditPage(Page):
    data: list[AuditEntry]


class Accounts(Document):
    data: list[Account]


class OutcomeSeries(Document):
    since: datetime
    until: datetime
    interval: str
    data: list[Outcomes]


class ErrorSeries(Document):
    since: datetime
    until: datetime
    interval: str
    data: list[ErrorsOfPeriod]


class ActionResult(Document):
    action: str
    outcome: str
    note: str
    request_set_id: MaybeId = Field(description="A set that came of it.")


class PlanItem(Document):
    request_set_id: Id
    account_id: Id
    outcome: str | None
    note: str | None
    tries: int
    due_at: datetime | None
    ended_at: datetime | None


class NewPlan(Document):
    """What an action would touch: confirm it by its id before it is out of date."""

    id: str
    action: str
    means: str
    sets: int = Field(description="Those that meet the filters and that it can be done to.")
    by_account: dict[str, int]
    points: int = Field(
        description="What it costs of the accounts' limits at Facebook; at least, where failures "
        "are sent again: whether they may have made ads is read first, a point a page."
    )
    seconds: float = Field(description="About how long it takes at Facebook's pace.")
    next_cursor: str | None = Field(
        description="Where to plan the rest from, where more sets may meet the filters than one "
        "plan takes."
    )
    note: str | None = Field(
        description="Why nothing can be chosen by these filters; null where something can."
    )
    expires_at: datetime


class Plan(Document):
    id: str
    action: str
    actor: str
    detail: str
    made_at: datetime
    expires_at: datetime
    confirmed_at: datetime | None
    stopped_at: datetime | None
    counts: dict[str, int] = Field(description="How many of its sets ended how, and wait.")
    items: list[PlanItem] = Field(description="The first 100: first what did not end well.")


class Integrity(Document):
    """The two numbers that must be zero, and what stands behind them."""

    missing: int
    doubled: int
    late: int
    stuck: int
    is_exact: dict[str, bool] = Field(
        description="Of each number, false where there are more: counting stops at 10,000."
    )
    counted_at: datetime
    reconciled: dict[str, dict[str, Any]]
    rows: dict[str, list[dict[str, Any]]]


@functools.lru_cache(maxsize=1024)
def error_in_words(code: int | None) -> Mapping[str, str | None]:
    """Return what an error code means and what to do about it; ``meaning`` None for an unknown."""
    row = errors.find_row(code, None)
    return {"meaning": row.meaning if row else None, "advice": advice_on(code)}


def request_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request with its error in words."""
    if row["error_code"] is None and not row["status"].upper().startswith("ERROR"):
        return dict(row)
    words = error_in_words(row["error_code"])
    return {**row, "error_meaning": words["meaning"], "error_advice": words["advice"]}


def set_row(row: Mapping[str, Any], *, now: datetime) -> dict[str, Any]:
    """Return a set with whether it is late, and missing."""
    has_end = row["collected_at"] is not None or row["state"] == "rejected"
    passed = {
        name: not has_end and row[f"{column}_at"] is not None and row[f"{column}_at"] <= now
        for name, column in (("is_late", "deadline"), ("is_missing", "missing"))
    }
    return {**row, **passed}


def set_detail(row: Mapping[str, Any], *, now: datetime) -> RequestSetDetail:
    """Return one set as ``store.details`` tells of it."""
    failed = [{**one, **error_in_words(one["error_code"])} for one in row["errors"]]
    return RequestSetDetail.model_validate(set_row({**row, "errors": failed}, now=now))


def notification_detail(row: Mapping[str, Any]) -> NotificationDetail:
    """Return a notification with its headers, and its body also exactly as it came."""
    pairs = json.loads(row["headers"])
    headers = [{"name": name, "value": value} for name, value in pairs]
    body = base64.b64encode(row["body"]).decode()
    return NotificationDetail.model_validate({**row, "headers": headers, "body_base64": body})
