"""Every setting, once. The environment is read here and nowhere else.

The setting ``x`` comes from the variable ``RECEIVER_X``; a secret may come from the file that
``RECEIVER_X_FILE`` names instead. A variable that is empty counts as not set. One that is wrong or
unknown stops the start.
"""

from __future__ import annotations

import difflib
import importlib.util
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import unquote, urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "RECEIVER_"
SECRETS = ("database_url", "secret_keys", "metrics_token", "broker_url")
"""The settings that are masked wherever they are shown, and that may come from a file."""

_MISREAD = (
    "cannot be read as a URL: percent-encode special characters of the user's name and password, "
    "and give the port as a number"
)
_LEASE_MARGIN_SECONDS = 10
_SECRET_KEY_LENGTH = 32
_METRICS_TOKEN_LENGTH = 16
_SHORTEST_PASSWORD = 12
_KINDS_OF_CHARACTERS = ("[a-z]", "[A-Z]", "[0-9]", "[^a-zA-Z0-9]")
_BASE_URL = re.compile(
    r"https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[\w.~%-]+)*/*", re.ASCII
)


class SettingsError(Exception):
    """The settings are wrong. The text says in sentences what to do, and shows no secret."""


def _database_url(value: SecretStr) -> SecretStr:
    """Check a database's URL and name the driver in it. No error shows any part of the URL."""
    url = value.get_secret_value()
    if re.fullmatch(r"sqlite:////[^?#]+", url):
        return value
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in ("postgres", "postgresql", "postgresql+psycopg"):
        raise ValueError(
            "must be postgresql://user:password@host/name, or a SQLite file by its absolute path: "
            "sqlite:////var/lib/receiver/receiver.db (four slashes)"
        )
    if _is_misread(url):
        raise ValueError(_MISREAD)
    return SecretStr(f"postgresql+psycopg://{rest}")


def _is_misread(url: str) -> bool:
    """Return whether a raw ``/``, ``?``, ``#`` or ``@`` in the password moves where it ends."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # Parsed on access only.
    except ValueError:
        return True
    return url.count("@") > parts.netloc.count("@") or parts.netloc.count("@") > 1


def _broker_url(value: SecretStr | None) -> SecretStr | None:
    """Check a broker's URL, and that its library is here. No error shows any part of the URL."""
    if value is None:
        return None
    url = value.get_secret_value()
    if not re.match(r"(rediss?|amqps?)://[^/]", url):
        raise ValueError(
            "must be redis://:password@host/0 or amqp://user:password@host/name, or the same "
            "with TLS: rediss://, amqps://"
        )
    if _is_misread(url):
        raise ValueError(_MISREAD)
    if importlib.util.find_spec("celery") is None:
        raise ValueError(
            "needs Celery, which is not installed: run pip install 'receiver[celery]', or unset it"
        )
    return value


def _base_url(text: str) -> str:
    if not _BASE_URL.fullmatch(text):
        raise ValueError(
            "must be an http:// or https:// URL without user name, query or fragment, like "
            "https://receiver.example.com"
        )
    return text.rstrip("/")


def _graph_version(text: str) -> str:
    if not re.fullmatch(r"v[0-9]{1,3}\.[0-9]{1,2}", text):
        raise ValueError("must be a version of the Graph API, like v21.0")
    return text


def _split_at_commas(value: object) -> object:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


def _secret_keys(keys: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    texts = [key.get_secret_value() for key in keys]
    if not texts or any(len(text) < _SECRET_KEY_LENGTH for text in texts):
        raise ValueError(
            f"must be one or several keys, newest first and separated by commas, each at least "
            f"{_SECRET_KEY_LENGTH} characters long"
        )
    if len(set(texts)) < len(texts):
        raise ValueError("must not name the same key twice")
    return keys


def _metrics_token(token: SecretStr | None) -> SecretStr | None:
    text = "" if token is None else token.get_secret_value()
    is_fit = len(text) >= _METRICS_TOKEN_LENGTH and re.fullmatch(r"[!-~]+", text)
    if token is not None and not is_fit:
        raise ValueError(
            f"must be at least {_METRICS_TOKEN_LENGTH} characters long, without spaces or letters "
            "that no header can carry"
        )
    return token


def _lowered(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


BaseUrl = Annotated[str, AfterValidator(_base_url)]
Bytes = Annotated[int, Field(ge=1, le=1024**3)]
Delay = Annotated[float, Field(ge=0, le=86_400)]
Percent = Annotated[float, Field(gt=0, le=100)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]


class Settings(BaseSettings):
    """What an operator decides. ``docs/settings.md`` says of each when to change it."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        frozen=True,
        hide_input_in_errors=True,
        str_strip_whitespace=True,
        allow_inf_nan=False,
    )

    database_url: Annotated[SecretStr, AfterValidator(_database_url)] = Field(
        description="The database: PostgreSQL, or a SQLite file by its absolute path."
    )
    public_url: BaseUrl = Field(
        description="The URL under which Facebook reaches this service: "
        "the base of every notification_uri."
    )
    secret_keys: Annotated[
        tuple[SecretStr, ...],
        NoDecode,
        BeforeValidator(_split_at_commas),
        AfterValidator(_secret_keys),
    ] = Field(
        description="The keys that tokens are signed and secrets sealed with: "
        "newest first, separated by commas."
    )
    broker_url: Annotated[SecretStr | None, AfterValidator(_broker_url)] = Field(
        default=None,
        description="The broker through which Celery wakes workers on many machines: Redis or "
        "RabbitMQ.",
    )
    trusted_proxies: int = Field(
        default=0, ge=0, le=10, description="How many proxies stand in front of the web service."
    )
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], BeforeValidator(_lowered)
    ] = Field(default="info", description="The least severe events that are logged.")

    metrics_token: Annotated[SecretStr | None, AfterValidator(_metrics_token)] = Field(
        default=None,
        description="The token that whoever reads the metrics sends; without it only this machine "
        "may read them.",
    )
    worker_metrics_port: Annotated[int, Field(ge=0, le=65_535)] = Field(
        default=0, description="The port on which a worker shows its own metrics; 0 for none."
    )

    web_threads: Annotated[int, Field(ge=4, le=256)] = Field(
        default=32,
        description="The threads of a web worker: half of them may wait for Facebook, "
        "a quarter for one account.",
    )

    graph_url: BaseUrl = Field(
        default="https://graph.facebook.com", description="The Graph API, or a sandbox of it."
    )
    graph_version: Annotated[str, AfterValidator(_graph_version)] = Field(
        default="v21.0", description="The version of the Graph API that is called."
    )
    graph_connect_timeout_seconds: Seconds = Field(
        default=5, description="How long a connection to Facebook may take to open."
    )
    graph_read_timeout_seconds: Seconds = Field(
        default=30, description="How long Facebook may stay silent during an answer."
    )
    graph_deadline_seconds: Seconds = Field(
        default=60, description="How long a whole call to Facebook may take."
    )
    send_before_seconds: Seconds = Field(
        default=10,
        description="How long after its submission was written a create may still be sent.",
    )

    poll_limit_percent: Percent = Field(
        default=80, description="How full a limit of Facebook's may be before polling waits."
    )
    collect_limit_percent: Percent = Field(
        default=90,
        description="How full a limit of Facebook's may be before collecting results waits.",
    )
    create_limit_percent: Percent = Field(
        default=95, description="How full a limit of Facebook's may be before creates are refused."
    )
    settle_seconds: Seconds = Field(
        default=900,
        description="How long, in Facebook's own time, a lost create is looked for before it can "
        "be proved to be absent.",
    )
    resend_without_witness: bool = Field(
        default=False,
        description="Whether a lost create may be sent again although Facebook lists no set of "
        "ours that was sent later.",
    )
    create_wait_seconds: Delay = Field(
        default=10,
        description="How long a create whose answer was lost waits to be found before it answers "
        "409.",
    )

    request_body_limit_bytes: Bytes = Field(
        default=10 * 1024 * 1024, description="The largest body that a caller may send."
    )
    request_body_deadline_seconds: Seconds = Field(
        default=30, description="How long a caller may take to send a body."
    )
    upload_limit_bytes: Annotated[int, Field(ge=1, le=16 * 1024**3)] = Field(
        default=1024**3, description="The largest upload that is passed through to Facebook."
    )
    upload_deadline_seconds: Seconds = Field(
        default=300, description="How long an upload may take, on either side of the receiver."
    )
    read_ttl_seconds: Delay = Field(
        default=5,
        description="How old what is known of an open set may be before a caller's read looks "
        "at Facebook first.",
    )
    batch_max_operations: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=1000, description="The most operations that one batch of a caller may hold."
    )
    batch_threads_per_account: Annotated[int, Field(ge=1, le=32)] = Field(
        default=4,
        description="How many calls to Facebook a web worker makes at a time for the batches of "
        "one account.",
    )

    delivery_retry_seconds: Annotated[
        tuple[Annotated[float, Field(ge=0, le=604_800)], ...],
        NoDecode,
        BeforeValidator(_split_at_commas),
    ] = Field(
        default=(5, 300, 1800, 7200, 18_000, 36_000, 36_000),
        description="How long after each failed attempt a caller's notification is sent again: "
        "one number a retry, separated by commas.",
    )
    delivery_timeout_seconds: Seconds = Field(
        default=15, description="How long one attempt to notify a caller may take."
    )
    delivery_allow_private_addresses: bool = Field(
        default=False,
        description="Whether callers may be notified at private and local addresses.",
    )

    notification_body_limit_bytes: Annotated[int, Field(ge=1, le=64 * 1024)] = Field(
        default=64 * 1024, description="How much of a notification's body is kept."
    )
    notification_body_deadline_seconds: Seconds = Field(
        default=5, description="How long a notification's sender may take to send its body."
    )

    notification_grace_seconds: Delay = Field(
        default=120,
        description="How long a complete set's notification may be outstanding "
        "before it counts as failed.",
    )
    first_look_seconds: Delay = Field(
        default=60, description="How long after it was opened a set is first looked at."
    )
    look_interval_min_seconds: Seconds = Field(
        default=15, description="The shortest time between two looks at a set."
    )
    look_interval_max_seconds: Seconds = Field(
        default=900, description="The longest time between two looks at a set."
    )
    deadline_min_seconds: Seconds = Field(
        default=3600,
        description="The shortest time after which a set without results counts as late.",
    )
    deadline_max_seconds: Seconds = Field(
        default=86_400,
        description="The longest time after which a set without results counts as missing.",
    )
    hint_interval_seconds: Annotated[float, Field(ge=0.01, le=0.2)] = Field(
        default=0.2, description="How often the worker looks for new notifications."
    )
    lease_seconds: Seconds = Field(
        default=120, description="How long a claim on a set holds without being renewed."
    )
    worker_threads: Annotated[int, Field(ge=1, le=64)] = Field(
        default=8,
        description="How many steps a worker takes at a time: at most half of them for one "
        "account.",
    )
    database_timeout_seconds: Seconds = Field(
        default=5, description="How long the database may keep a connection or a lock from us."
    )
    database_pool_size: Annotated[int, Field(ge=1, le=256)] = Field(
        default=20, description="The most connections to the database that a process holds."
    )
    retention_days: Annotated[int, Field(ge=0, le=36_500)] = Field(
        default=0,
        description="How long what is over is kept before the worker removes it; 0 for ever.",
    )

    @model_validator(mode="after")
    def _check_leases(self) -> Self:
        """A lease outlives the longest call, or two workers could do one step."""
        needed = self.graph_deadline_seconds + _LEASE_MARGIN_SECONDS
        if self.lease_seconds <= needed:
            raise ValueError(
                f"RECEIVER_LEASE_SECONDS is {self.lease_seconds:g}, and a call to Facebook may "
                f"take {self.graph_deadline_seconds:g} seconds (RECEIVER_GRAPH_DEADLINE_SECONDS): "
                f"set the lease to more than {needed:g}, or lower the deadline"
            )
        return self

    @model_validator(mode="after")
    def _check_deadlines(self) -> Self:
        if self.deadline_min_seconds > self.deadline_max_seconds:
            raise ValueError(
                f"RECEIVER_DEADLINE_MIN_SECONDS is {self.deadline_min_seconds:g}, more than "
                f"RECEIVER_DEADLINE_MAX_SECONDS, which is {self.deadline_max_seconds:g}: raise the "
                "one or lower the other"
            )
        return self

    @model_validator(mode="after")
    def _check_look_intervals(self) -> Self:
        if self.look_interval_min_seconds > self.look_interval_max_seconds:
            raise ValueError(
                f"RECEIVER_LOOK_INTERVAL_MIN_SECONDS is {self.look_interval_min_seconds:g}, more "
                f"than RECEIVER_LOOK_INTERVAL_MAX_SECONDS, which is "
                f"{self.look_interval_max_seconds:g}: raise the one or lower the other"
            )
        return self


def load_settings() -> Settings:
    """Read the environment. Raises SettingsError."""
    problems = [*_unknown_variables(), *_doubled_variables()]
    if problems:
        raise SettingsError("\n".join(problems))
    try:
        return Settings(**_secrets_from_files())
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        # Without the cause: pydantic's error holds what was given, secrets included.
        raise SettingsError("\n".join(_sentence(detail) for detail in details)) from None


def secret_values(settings: Settings) -> tuple[str, ...]:
    """Return what must stand in no log and no page, as far as settings tell it.

    A weak password is left out: it cannot be told from an ordinary word, and hiding that word
    would tell everybody what the password is.
    """
    token = settings.metrics_token
    return (
        *(key.get_secret_value() for key in settings.secret_keys),
        *([] if token is None else [token.get_secret_value()]),
        *_hidden_passwords(settings.database_url),
        *_hidden_passwords(settings.broker_url),
    )


def has_weak_password(settings: Settings) -> bool:
    """Return whether the database's URL holds a password that may be an ordinary word."""
    password = _password(settings.database_url)
    return password != "" and _is_weak(unquote(password))


def _hidden_passwords(url: SecretStr | None) -> list[str]:
    """Return the password of a URL as it stands there and as it is meant, if it can be hidden."""
    password = _password(url)
    return [] if _is_weak(unquote(password)) else list(dict.fromkeys((password, unquote(password))))


def _password(url: SecretStr | None) -> str:
    return "" if url is None else urlsplit(url.get_secret_value()).password or ""


def _is_weak(password: str) -> bool:
    kinds = sum(re.search(kind, password) is not None for kind in _KINDS_OF_CHARACTERS)
    return len(password) < _SHORTEST_PASSWORD or kinds == 1


def origin(name: str) -> Literal["environment", "file", "default"]:
    """Return where the value of a setting comes from."""
    given = _variables()
    if variable(name) in given:
        return "environment"
    return "file" if f"{variable(name)}_FILE" in given else "default"


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return PREFIX + name.upper()


def _variables() -> dict[str, str]:
    """Return what is set of the variables with our prefix, by their names in capitals."""
    return {
        name.upper(): value
        for name, value in os.environ.items()
        if value and name.upper().startswith(PREFIX)
    }


def _unknown_variables() -> Iterator[str]:
    files = [f"{name.upper()}_FILE" for name in SECRETS]
    known = [*map(str.upper, Settings.model_fields), *files]
    for name in _variables():
        ending = name.removeprefix(PREFIX)
        if ending not in known:
            # Compared without the prefix, which would make every name look near.
            nearest = difflib.get_close_matches(ending, known, n=1)
            hint = f"did you mean {PREFIX}{nearest[0]}?" if nearest else "unset it."
            yield f"{name} is not a setting: {hint}"


def _doubled_variables() -> Iterator[str]:
    given = _variables()
    for name in map(variable, SECRETS):
        if name in given and f"{name}_FILE" in given:
            yield f"Both {name} and {name}_FILE are set: unset one of them."


def _secrets_from_files() -> dict[str, Any]:
    given = _variables()
    files = {name: f"{variable(name)}_FILE" for name in SECRETS}
    return {
        name: _read_secret(given[file], named_by=file)
        for name, file in files.items()
        if file in given
    }


def _read_secret(path: str, *, named_by: str) -> str:
    try:
        text = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"The file that {named_by} names cannot be read ({type(error).__name__}): "
            "check its path and its permissions."
        ) from None
    if not text:
        raise SettingsError(f"The file that {named_by} names is empty: write the secret into it.")
    return text


def _sentence(detail: ErrorDetails) -> str:
    cause = detail.get("ctx", {}).get("error")
    message = str(cause) if cause else re.sub(r"^\w+ should", "must", detail["msg"])
    if not detail["loc"]:
        return f"{message}."
    name = str(detail["loc"][0])
    if detail["type"] == "missing":
        choice = (
            f"{variable(name)} (or {variable(name)}_FILE)" if name in SECRETS else variable(name)
        )
        return f"Set {choice}. {Settings.model_fields[name].description}"
    return f"{variable(name)} {message}."
