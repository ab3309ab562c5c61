"""The tables, their constraints and indexes; no queries.

Facebook's ids are 64-bit integers here and strings in JSON. What Facebook or a caller sent is kept
as bytes, because JSON allows texts that PostgreSQL refuses. States, statuses and verdicts are text
as they came. Each index says which query it serves.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import (
    Float,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from receiver.graph.vocabulary import AD_SETS_EDGE
from receiver.store.types import BigId, UTCDateTime


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        int: BigId,
        datetime: UTCDateTime(),
        float: Float(),
        bytes: LargeBinary(),
    }


class Credential(Base):
    """A Facebook token, with the secret of its app, as sealed bytes."""

    __tablename__ = "credential"

    id: Mapped[int] = mapped_column(primary_key=True)
    sealed_token: Mapped[bytes]
    sealed_app_secret: Mapped[bytes | None]
    resume_at: Mapped[datetime | None]
    """Facebook asked the app to wait: nothing is asked with this credential before."""
    wait_http_status: Mapped[int | None]
    wait_body: Mapped[bytes | None]
    """The error that asked to wait, as it came; callers get it until ``resume_at``."""
    parked_reason: Mapped[str | None]
    """Why nothing is asked before a person did something, in words."""
    app_percent: Mapped[float | None]
    """How much of the app's calls of an hour was used, as the newest header said."""
    app_percent_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class Account(Base):
    """An ad account; ``id`` is Facebook's, without ``act_``."""

    __tablename__ = "account"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    credential_id: Mapped[int] = mapped_column(ForeignKey("credential.id"))
    resume_at: Mapped[datetime | None]
    """Facebook asked us to wait: nothing is asked for this account before."""
    wait_http_status: Mapped[int | None]
    wait_body: Mapped[bytes | None]
    """The error that asked to wait, as it came; callers get it until ``resume_at``."""
    parked_reason: Mapped[str | None]
    """Why nothing is asked before a person did something, in words."""
    score_slots: Mapped[str | None]
    """The points of the last minutes as ``graph.score`` writes them: shared by all processes."""
    score_version: Mapped[int] = mapped_column(server_default=text("0"))
    """Goes up with each change of the score: a change holds only on what it was made from."""
    tier: Mapped[str | None]
    """The app's access tier, as a header said."""
    page_limit: Mapped[int | None]
    """How many requests a page of this account holds at the most; None for as many as may be."""
    sweep_pages: Mapped[float | None]
    """How many pages of the account's list a sweep for complete sets took of late."""
    created_at: Mapped[datetime]


class ApiKey(Base):
    """A caller's secret, hashed. It belongs to one credential and names accounts under it."""

    __tablename__ = "api_key"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    key_hash: Mapped[bytes] = mapped_column(unique=True)
    credential_id: Mapped[int] = mapped_column(ForeignKey("credential.id"))
    is_read_only: Mapped[bool] = mapped_column(server_default=false())
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    """To the minute or so: a key that is used all the time is not written all the time."""


class ApiKeyAccount(Base):
    """An account that a key may use."""

    __tablename__ = "api_key_account"

    api_key_id: Mapped[int] = mapped_column(ForeignKey("api_key.id"), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)


class RequestSet(Base):
    """An intent: what a caller asked for, and all that became of it."""

    __tablename__ = "request_set"
    __table_args__ = (
        # claims.claim_due: the next set that is due.
        Index(
            "ix_request_set_due",
            "look_at",
            sqlite_where=text("look_at IS NOT NULL"),
            postgresql_where=text("look_at IS NOT NULL"),
        ),
        # reports.request_sets and experience.newest: an account's sets, newest first.
        Index("ix_request_set_account_id_id", "account_id", "id"),
        # reports.request_sets: the sets in a state, newest first.
        Index("ix_request_set_state_id", "state", "id"),
        # edges.own_sets: an account's sets of an edge, newest first.
        Index("ix_request_set_account_id_edge_facebook_id", "account_id", "edge", "facebook_id"),
        # twins.find_earlier and searches.claim_companions: what of an account has no outcome yet.
        Index(
            "ix_request_set_unresolved",
            "account_id",
            "edge",
            "parameters_hash",
            sqlite_where=text("state IN ('submitting', 'unknown', 'stuck')"),
            postgresql_where=text("state IN ('submitting', 'unknown', 'stuck')"),
        ),
        # integrity.overdue: what is past its deadline and has no end.
        Index(
            "ix_request_set_deadline_at",
            "deadline_at",
            sqlite_where=text("state NOT IN ('collected', 'rejected')"),
            postgresql_where=text("state NOT IN ('collected', 'rejected')"),
        ),
        # integrity.doubled: what was asked for while its twin's outcome was not known.
        Index(
            "ix_request_set_twin_of",
            "twin_of",
            sqlite_where=text("twin_of IS NOT NULL"),
            postgresql_where=text("twin_of IS NOT NULL"),
        ),
        # integrity.doubled: the intents with more than one set.
        Index(
            "ix_request_set_doubled_at",
            "doubled_at",
            sqlite_where=text("doubled_at IS NOT NULL"),
            postgresql_where=text("doubled_at IS NOT NULL"),
        ),
        # searches.claim_recheck: what was sent twice is looked for once more.
        Index(
            "ix_request_set_recheck_at",
            "recheck_at",
            sqlite_where=text("recheck_at IS NOT NULL"),
            postgresql_where=text("recheck_at IS NOT NULL"),
        ),
        # A token names an id: it is never given out twice, not even after the newest row went.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    api_key_id: Mapped[int | None] = mapped_column(ForeignKey("api_key.id"))

    edge: Mapped[str] = mapped_column(server_default=AD_SETS_EDGE)
    """The account's edge that it is created on: one of ``graph.vocabulary.CREATE_EDGES``."""
    name: Mapped[str]
    ad_specs: Mapped[bytes] = mapped_column(deferred=True, deferred_raiseload=True)
    """What the caller asks for, as JSON: ``ad_specs``, ``creative_spec`` or ``adbatch``.

    Up to megabytes, so it is read only where it is asked for.
    """
    spec_count: Mapped[int]
    caller_notification_uri: Mapped[str | None]
    caller_notification_mode: Mapped[str]
    parameters_hash: Mapped[bytes | None]
    """What the create asks for, without token and key; None before this was kept."""
    twin_of: Mapped[int | None]
    """The intent of somebody else that asked for the same and had no outcome yet."""
    created_at: Mapped[datetime]
    deadline_at: Mapped[datetime | None]
    """From then on it is late while it has no end; None before this was kept."""
    missing_at: Mapped[datetime | None]
    """From then on it is missing."""

    state: Mapped[str]
    state_reason: Mapped[str | None]
    """Why it is unknown, rejected or not yet collected, in words for people."""
    attempt: Mapped[int]
    absent_at: Mapped[datetime | None]
    """When it was known that Facebook has nothing of this attempt: it may be sent again."""
    abandoned_at: Mapped[datetime | None]
    """When a person gave it up: it is never sent again."""
    doubled_at: Mapped[datetime | None]
    """When a second set of it was found at Facebook."""
    recheck_at: Mapped[datetime | None]
    """When a set that was sent twice is next looked for in the plural."""
    error_http_status: Mapped[int | None]
    error_body: Mapped[bytes | None]
    """Facebook's refusal, as it came."""

    facebook_id: Mapped[int | None] = mapped_column(unique=True)
    uri_pending: Mapped[bool] = mapped_column(server_default=false())
    """Facebook does not know our ``notification_uri`` yet: the create of its edge takes none."""
    owner_id: Mapped[int | None]
    is_completed: Mapped[bool]
    total_count: Mapped[int | None]
    initial_count: Mapped[int | None]
    in_progress_count: Mapped[int | None]
    success_count: Mapped[int | None]
    error_count: Mapped[int | None]
    canceled_count: Mapped[int | None]
    notification_status: Mapped[str | None]
    notification_result: Mapped[bytes | None]
    created_time: Mapped[str | None]
    updated_time: Mapped[str | None]

    verdict: Mapped[str]
    learned_by: Mapped[str | None]
    """How we learned that it was complete: ``notification``, ``poll``, or a caller's ``read``."""
    etag: Mapped[str | None]
    """Of the newest answer about it while it was at work."""
    flag: Mapped[str | None]
    """What was odd when it was collected, in words for people."""
    opened_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    collected_at: Mapped[datetime | None]

    hinted_at: Mapped[datetime | None]
    look_at: Mapped[datetime | None]
    looked_at: Mapped[datetime | None]
    quiet_looks: Mapped[int]
    """Claims since something last changed; counted at the claim, so that a crash counts too."""
    lease_token: Mapped[str | None]
    lease_expires_at: Mapped[datetime | None]


class Submission(Base):
    """One attempt to send an intent to Facebook."""

    __tablename__ = "submission"
    __table_args__ = (UniqueConstraint("request_set_id", "attempt"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    request_set_id: Mapped[int] = mapped_column(ForeignKey("request_set.id"))
    attempt: Mapped[int]
    credential_id: Mapped[int] = mapped_column(ForeignKey("credential.id"))
    signing_key_id: Mapped[str | None]
    """Which secret key signed its notification URL; None before this was kept."""
    send_before: Mapped[datetime]
    settles_from: Mapped[datetime | None]
    """Facebook's time when it was first asked for the set after its sender was gone."""
    answered_at: Mapped[datetime | None]
    outcome: Mapped[str]
    facebook_id: Mapped[int | None]
    error: Mapped[str | None]
    created_at: Mapped[datetime]


class IdempotencyKey(Base):
    """A caller's own name for a create; several may name one, none names two."""

    __tablename__ = "idempotency_key"
    __table_args__ = (
        # twins.release_keys: the keys of an intent.
        Index("ix_idempotency_key_request_set_id", "request_set_id"),
    )

    account_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    edge: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_set_id: Mapped[int] = mapped_column(ForeignKey("request_set.id"))


class FoundSet(Base):
    """A set at Facebook that names an intent, from an answer or found on its account's edge.

    A second one for an intent is a doubled set: both are kept.
    """

    __tablename__ = "found_set"

    request_set_id: Mapped[int] = mapped_column(ForeignKey("request_set.id"), primary_key=True)
    facebook_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    attempt: Mapped[int]
    found_at: Mapped[datetime]


class Request(Base):
    """One request of a set, with its latest status and result; ``id`` is Facebook's."""

    __tablename__ = "request"
    __table_args__ = (
        # reports.requests and results.progress: a set's requests in the order of their ids.
        Index("ix_request_request_set_id_id", "request_set_id", "id"),
        # edges.own_requests: the requests of an ad set.
        Index("ix_request_scope_object_id_id", "scope_object_id", "id"),
        # objects.account_of: the account of an object that a request made.
        Index("ix_request_created_object_id", "created_object_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    request_set_id: Mapped[int] = mapped_column(ForeignKey("request_set.id"))
    scope_object_id: Mapped[int | None]
    status: Mapped[str]
    is_final: Mapped[bool]
    type: Mapped[str | None]
    result: Mapped[bytes | None]
    input: Mapped[bytes | None]
    created_object_id: Mapped[int | None]
    error_code: Mapped[int | None]
    error_message: Mapped[str | None]
    created_time: Mapped[str | None]
    updated_time: Mapped[str | None]
    read_at: Mapped[datetime]


class Notification(Base):
    """One HTTP call on a notification URL, as it came.

    There is no foreign key: a valid token without a row is kept too.
    """

    __tablename__ = "notification"
    __table_args__ = (
        # notifications.apply_hints: what has not been applied yet.
        Index(
            "ix_notification_unapplied",
            "id",
            sqlite_where=text("applied_at IS NULL"),
            postgresql_where=text("applied_at IS NULL"),
        ),
        # notifications.keep and notifications.is_notified: the rows of one token.
        Index("ix_notification_request_set_id_attempt", "request_set_id", "attempt", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    request_set_id: Mapped[int]
    attempt: Mapped[int]
    received_at: Mapped[datetime]
    method: Mapped[str]
    remote_address: Mapped[str]
    query: Mapped[str]
    headers: Mapped[str]
    """A JSON list of name and value pairs."""
    body: Mapped[bytes]
    body_cut: Mapped[str | None]
    """Why the body is not whole: ``size``, ``deadline`` or ``hangup``."""
    repeats: Mapped[int]
    """Calls beyond the rows that one token may fill, counted on its newest row."""
    applied_at: Mapped[datetime | None]


class Look(Base):
    """One reading of the truth at Facebook: why, when, how long, what it cost, what it showed."""

    __tablename__ = "look"
    __table_args__ = (
        # reports.looks: the looks at one set, newest first.
        Index("ix_look_request_set_id_id", "request_set_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    request_set_id: Mapped[int] = mapped_column(ForeignKey("request_set.id"))
    account_id: Mapped[int]
    kind: Mapped[str]
    """``set``, ``requests`` or ``edge``: what was read; ``create``: it was to be sent again."""
    why: Mapped[str]
    """``notification``, ``poll``, or ``read`` for a caller who wants to read the set."""
    started_at: Mapped[datetime]
    duration_ms: Mapped[int]
    calls: Mapped[int]
    rows: Mapped[int]
    is_completed: Mapped[bool | None]
    verdict: Mapped[str | None]
    error_code: Mapped[int | None]
    error: Mapped[str | None]


class Reconciliation(Base):
    """One comparison of SQL with what Facebook lists of an account, for sets of a time range."""

    __tablename__ = "reconciliation"
    __table_args__ = (
        # integrity.newest_reconciliations: an account's newest one.
        Index("ix_reconciliation_account_id_id", "account_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int]
    since: Mapped[datetime]
    until: Mapped[datetime]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime]
    calls: Mapped[int]
    sets: Mapped[int]
    """How many sets Facebook listed, others' included."""
    is_whole: Mapped[bool]
    """Whether every list was read to its last page."""
    differences: Mapped[int]


class GraphObject(Base):
    """An object at Facebook whose account was read once: an object never moves to another."""

    __tablename__ = "graph_object"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    account_id: Mapped[int]
    read_at: Mapped[datetime]


class EdgeReading(Base):
    """How far an edge at Facebook was read that also holds what others made.

    The edge of an account (``asyncadrequestsets``, ``asyncadcreatives``, ``async_requests``) holds
    sets, that of an ad set or a campaign (``asyncadrequests``) holds requests.
    """

    __tablename__ = "edge_reading"

    object_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    edge: Mapped[str] = mapped_column(primary_key=True)
    read_at: Mapped[datetime | None]
    """When the last reading that saw all that is new began."""
    walked_at: Mapped[datetime | None]
    """When the last reading to the last page began."""
    after: Mapped[str | None]
    """The cursor from which a reading goes on that had no time to reach the last page."""
    lease_token: Mapped[str | None]
    lease_expires_at: Mapped[datetime | None]


class EdgeMember(Base):
    """A set or a request as an edge at Facebook showed it."""

    __tablename__ = "edge_member"

    object_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    edge: Mapped[str] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    is_final: Mapped[bool]
    """A complete set, or a request with a final status: it does not change any more."""
    record: Mapped[bytes]
    """The node as JSON, with every field that was asked for."""
    read_at: Mapped[datetime]


class Delivery(Base):
    """A collected set's notification to its caller: one row a set."""

    __tablename__ = "delivery"
    __table_args__ = (
        # deliveries.claim_due: the next delivery that is due.
        Index(
            "ix_delivery_due",
            "send_at",
            sqlite_where=text("send_at IS NOT NULL"),
            postgresql_where=text("send_at IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    request_set_id: Mapped[int] = mapped_column(ForeignKey("request_set.id"), unique=True)
    message_id: Mapped[str]
    """The ``webhook-id`` of every attempt."""
    uri: Mapped[str]
    state: Mapped[str]
    """``pending``, ``delivered``, ``failed`` or ``gone`` (the caller answered 410)."""
    attempts: Mapped[int]
    """Counted at the claim, so that a crash counts too."""
    send_at: Mapped[datetime | None]
    result_status: Mapped[str | None]
    """How the last attempt ended: the HTTP status, or an error word."""
    result_response: Mapped[str | None]
    """How the caller's answer to the last attempt begins."""
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    lease_token: Mapped[str | None]
    lease_expires_at: Mapped[datetime | None]


class DeliveryAttempt(Base):
    """One HTTP call to a caller's notification URI."""

    __tablename__ = "delivery_attempt"
    __table_args__ = (UniqueConstraint("delivery_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"))
    number: Mapped[int]
    started_at: Mapped[datetime]
    duration_ms: Mapped[int]
    http_status: Mapped[int | None]
    error: Mapped[str | None]
    response: Mapped[str | None]
