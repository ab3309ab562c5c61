"""Intents, what was sent of them, and the requests of each."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from receiver.graph.vocabulary import AD_SETS_EDGE
from receiver.store.models.base import Base, partial_index


class RequestSet(Base):
    """An intent: what a caller asked for, and all that became of it."""

    __tablename__ = "request_set"
    __table_args__ = (
        # due.first_accounts and backlog: what is due of any account. It serves nobody who asks for
        # one account, for its condition, which is always true, has to be asked for.
        partial_index(
            "ix_request_set_due", "look_at", where="look_at IS NOT NULL AND quiet_looks >= 0"
        ),
        # due.accounts, claims.claim_due and claims.claim_beside: what is due of one account.
        partial_index(
            "ix_request_set_account_id_due", "account_id", "look_at", where="look_at IS NOT NULL"
        ),
        # reports.sets_at_work and after_all.mark_repetitions: an account's sets by their numbers.
        Index("ix_request_set_account_id_id", "account_id", "id"),
        # integrity.stuck: the sets in a state by their numbers.
        Index("ix_request_set_state_id", "state", "id"),
        # edges.set_ids: an account's sets of an edge, newest first.
        Index("ix_request_set_account_id_edge_facebook_id", "account_id", "edge", "facebook_id"),
        # twins.find_earlier and searches.claim_companions: what of an account has no outcome yet.
        partial_index(
            "ix_request_set_unresolved",
            "account_id",
            "edge",
            "parameters_hash",
            where="state IN ('submitting', 'unknown', 'stuck')",
        ),
        # integrity.missing and integrity.late: what is past its deadline and has no end.
        partial_index(
            "ix_request_set_deadline_at",
            "deadline_at",
            where="state NOT IN ('collected', 'rejected')",
        ),
        # integrity.doubled: what was asked for while its twin's outcome was not known, or given up.
        partial_index("ix_request_set_twin_of", "twin_of", where="twin_of IS NOT NULL"),
        # integrity.doubled: the intents with more than one set.
        partial_index("ix_request_set_doubled_at", "doubled_at", where="doubled_at IS NOT NULL"),
        # searches.claim_recheck: what may be there twice is looked for once more.
        partial_index("ix_request_set_recheck_at", "recheck_at", where="recheck_at IS NOT NULL"),
        # lists.request_sets: an account's sets by when they were made, newest first.
        Index("ix_request_set_account_id_created_at", "account_id", "created_at", "id"),
        # lists.request_sets and experience.newest: an account's complete sets by when they were,
        # with what is learned from each: two hundred of them are read for each account, often.
        partial_index(
            "ix_request_set_account_id_completed_at",
            "account_id",
            "completed_at",
            "id",
            "opened_at",
            "verdict",
            "spec_count",
            where="completed_at IS NOT NULL",
        ),
        # lists.request_sets: an account's sets in a state.
        Index("ix_request_set_account_id_state", "account_id", "state", "created_at", "id"),
        # lists.request_sets: an account's sets with a verdict on their notification.
        Index("ix_request_set_account_id_verdict", "account_id", "verdict", "created_at", "id"),
        # lists.request_sets: an account's sets with errors. SQLite prefers it to the index of all
        # sets only because it need not look into the table, so it holds what the question is about.
        partial_index(
            "ix_request_set_with_errors",
            "account_id",
            "created_at",
            "id",
            "error_count",
            where="error_count > 0",
        ),
        # lists.request_sets and integrity: what of an account has no end, among which is what is
        # late and what is missing; as above.
        partial_index(
            "ix_request_set_without_end",
            "account_id",
            "created_at",
            "id",
            "state",
            "deadline_at",
            "missing_at",
            "collected_at",
            where="state NOT IN ('collected', 'rejected')",
        ),
        # details.request_set: the sets that sent failed requests of a set again.
        partial_index("ix_request_set_parent_id", "parent_id", where="parent_id IS NOT NULL"),
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
    parent_id: Mapped[int | None]
    """The set whose failed requests it sends again."""
    row_keys: Mapped[bytes | None] = mapped_column(deferred=True, deferred_raiseload=True)
    """What the caller calls each of its specs, as a JSON list in their order."""
    twin_of: Mapped[int | None]
    """The intent that asked for the same before.

    It is somebody else's that had no outcome yet, or one that a person had given up and that
    Facebook has after all.
    """
    created_at: Mapped[datetime]
    deadline_at: Mapped[datetime | None]
    """From then on it is late while it has no end; None before this was kept."""
    missing_at: Mapped[datetime | None]
    """From then on it is missing."""

    state: Mapped[str]
    state_reason: Mapped[str | None]
    """Why it is unknown, rejected or not collected, or not once more, in words for people."""
    attempt: Mapped[int]
    absent_at: Mapped[datetime | None]
    """When it was known that Facebook has nothing of this attempt: it may be sent again."""
    abandoned_at: Mapped[datetime | None]
    """When a person gave it up: it is never sent again."""
    doubled_at: Mapped[datetime | None]
    """When a second set was found at Facebook: of it, or of what it sends again."""
    recheck_at: Mapped[datetime | None]
    """When a set that was sent twice, or adopted unnamed, is next looked for in the plural."""
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
    page_limit: Mapped[int | None]
    """How many of its requests are asked for at once, because more of them never came."""
    page_after: Mapped[str | None]
    """Facebook's cursor behind the pages that are in SQL, where the rest is still to be read."""
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
        # reports.requests_of and results.progress: a set's requests in the order of their ids.
        Index("ix_request_request_set_id_id", "request_set_id", "id"),
        # edges.request_ids: the requests of an ad set.
        Index("ix_request_scope_object_id_id", "scope_object_id", "id"),
        # objects.find: the account of an object that a request made.
        Index("ix_request_created_object_id", "created_object_id"),
        # lists.requests: an account's requests, newest first.
        Index("ix_request_account_id_id", "account_id", "id"),
        # lists.requests: an account's requests with a status.
        Index("ix_request_account_id_status", "account_id", "status", "id"),
        # lists.requests: an account's requests with an error code.
        partial_index(
            "ix_request_account_id_error_code",
            "account_id",
            "error_code",
            "id",
            where="error_code IS NOT NULL",
        ),
        # results.fill_accounts: what was written before requests named their accounts.
        partial_index("ix_request_without_account", "id", where="account_id IS NULL"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    request_set_id: Mapped[int] = mapped_column(ForeignKey("request_set.id"))
    account_id: Mapped[int | None]
    """Its set's; None for a moment where a version before 0.2 wrote it."""
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


class Resubmission(Base):
    """A failed request that is sent again: which spec of which new set it became."""

    __tablename__ = "resubmission"
    __table_args__ = (
        # lineage.add: a request stands in one live set at most.
        partial_index("ix_resubmission_live_request", "request_id", where="is_live", unique=True),
        # The foreign key: what became of a request, live or not.
        Index("ix_resubmission_request_id", "request_id"),
    )

    request_set_id: Mapped[int] = mapped_column(ForeignKey("request_set.id"), primary_key=True)
    spec_index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    request_id: Mapped[int] = mapped_column(ForeignKey("request.id"))
    is_live: Mapped[bool]
    """False once the new set was rejected, or this of it canceled: it may be sent again.

    A set that was given up holds it still: nobody knows whether Facebook has it.
    """
