"""Who may act: credentials, accounts and the keys of callers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, false, text
from sqlalchemy.orm import Mapped, mapped_column

from receiver.store.models.base import Base


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


class SignIn(Base):
    """A person's session on the dashboard: it ends with its time, its key, or a sign-out."""

    __tablename__ = "sign_in"

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    api_key_id: Mapped[int] = mapped_column(ForeignKey("api_key.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
