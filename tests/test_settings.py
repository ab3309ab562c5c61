from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from receiver.settings import (
    SECRETS,
    Settings,
    SettingsError,
    has_weak_password,
    load_settings,
    origin,
    secret_values,
)

KEY = "k" * 32
OTHER_KEY = "o" * 32

Give = Callable[..., None]


@pytest.fixture
def give(monkeypatch: pytest.MonkeyPatch) -> Give:
    """Set settings by their names, on top of the three that are required."""
    for name in os.environ:
        if name.startswith("RECEIVER_"):
            monkeypatch.delenv(name)

    def give(**values: object) -> None:
        for name, value in values.items():
            monkeypatch.setenv(f"RECEIVER_{name.upper()}", str(value))

    give(
        database_url="sqlite:////var/lib/receiver/receiver.db",
        public_url="https://receiver.example.com",
        secret_keys=KEY,
    )
    return give


def refusal() -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings()
    return str(caught.value)


@pytest.mark.usefixtures("give")
def test_what_is_not_set_has_its_default() -> None:
    settings = load_settings()
    assert settings.graph_url == "https://graph.facebook.com"
    assert settings.lease_seconds == 120
    assert settings.request_body_limit_bytes == 10 * 1024 * 1024


def test_an_empty_variable_counts_as_not_set(give: Give) -> None:
    give(graph_version="", trusted_proxies="")
    assert load_settings().graph_version == "v21.0"
    assert load_settings().trusted_proxies == 0


def test_what_is_required_and_missing_is_all_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("RECEIVER_"):
            monkeypatch.delenv(name)
    message = refusal()
    assert "Set RECEIVER_PUBLIC_URL. " in message
    assert "Set RECEIVER_DATABASE_URL (or RECEIVER_DATABASE_URL_FILE). " in message
    assert "Set RECEIVER_SECRET_KEYS (or RECEIVER_SECRET_KEYS_FILE). " in message


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
@pytest.mark.parametrize("rest", ["user:p%40ss@host:5432/name?sslmode=require", "/name?host=/run"])
def test_every_postgresql_url_names_the_driver(give: Give, scheme: str, rest: str) -> None:
    give(database_url=f"{scheme}://{rest}")
    url = load_settings().database_url.get_secret_value()
    assert url == f"postgresql+psycopg://{rest}"


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///hunter2.db",
        "sqlite://",
        "sqlite:////",
        "sqlite+pysqlite:////hunter2.db",
        "mysql://user:hunter2@host/name",
        "postgresql:hunter2",
        "hunter2",
        "postgresql://user:hunter2@host:port/name",
        "postgresql://user:hunter2/@host/name",
        "postgresql://user:12/hunter2@host/name",
        "postgresql://user:12?hunter2@host/name",
        "postgresql://user:12#hunter2@host/name",
        "postgresql://user:12@hunter2@host/name",
        "postgresql://user:hunter2@[::1/name",
    ],
)
def test_any_other_database_is_refused_without_showing_it(give: Give, url: str) -> None:
    give(database_url=url)
    message = refusal()
    assert message.startswith("RECEIVER_DATABASE_URL ")
    assert "hunter2" not in message


@pytest.mark.parametrize(
    "url",
    [
        "redis://broker/0",
        "redis://:p%40ss@broker:6379/0",
        "rediss://user:word@broker/1?ssl_ca_certs=/etc/ca.pem",
        "amqp://user:word@broker:5672/name",
        "amqps://user:word@broker//",
    ],
)
def test_a_broker_is_redis_or_rabbitmq_with_or_without_tls(give: Give, url: str) -> None:
    give(broker_url=url)
    broker_url = load_settings().broker_url
    assert broker_url is not None
    assert broker_url.get_secret_value() == url
    assert url not in repr(load_settings())


@pytest.mark.parametrize(
    "url",
    [
        "hunter2",
        "http://user:hunter2@broker/",
        "redis+socket:///hunter2",
        "sqs://user:hunter2@",
        "redis:hunter2",
        "redis://",
        "redis:///0",
        "amqp://user:hunter2@broker:port/",
        "amqp://user:hun/ter2@broker/",
        "redis://:hunter2@hunter2@broker/0",
        "os.system://hunter2",
    ],
)
def test_any_other_broker_is_refused_without_showing_it(give: Give, url: str) -> None:
    give(broker_url=url)
    message = refusal()
    assert message.startswith("RECEIVER_BROKER_URL ")
    assert "ter2" not in message


def test_a_broker_without_celery_stops_the_start_and_says_what_to_install(
    give: Give, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "celery" else found(name)
    )
    load_settings()
    give(broker_url="redis://broker/0")
    assert refusal() == (
        "RECEIVER_BROKER_URL needs Celery, which is not installed: run pip install "
        "'receiver[celery]', or unset it."
    )


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://receiver.example.com/", "https://receiver.example.com"),
        ("http://127.0.0.1:8000/base//", "http://127.0.0.1:8000/base"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_a_base_url_loses_its_trailing_slash(give: Give, given: str, kept: str) -> None:
    give(public_url=given)
    assert load_settings().public_url == kept


@pytest.mark.parametrize(
    "url",
    [
        "receiver.example.com",
        "ftp://receiver.example.com",
        "https://",
        "https://receiver.example.com/?a=1",
        "https://receiver.example.com/#a",
        "https://user:word@receiver.example.com",
        "https://receiver.example.com/with space",
        "https://receiver.example.com:port",
    ],
)
def test_a_base_url_that_cannot_be_built_on_is_refused(give: Give, url: str) -> None:
    give(public_url=url)
    assert "RECEIVER_PUBLIC_URL must be an http:// or https:// URL" in refusal()


def test_secret_keys_are_split_at_commas_and_keep_their_order(give: Give) -> None:
    give(secret_keys=f"{KEY} , {OTHER_KEY}")
    keys = [key.get_secret_value() for key in load_settings().secret_keys]
    assert keys == [KEY, OTHER_KEY]


@pytest.mark.parametrize("keys", [KEY[:-1], f"{KEY},short", f"{KEY},", ","])
def test_a_short_key_is_refused(give: Give, keys: str) -> None:
    give(secret_keys=keys)
    message = refusal()
    assert "at least 32 characters" in message
    assert keys not in message.replace(", ", " ")


def test_a_key_that_stands_twice_is_refused(give: Give) -> None:
    give(secret_keys=f"{KEY},{OTHER_KEY},{KEY}")
    assert "twice" in refusal()
    assert KEY not in refusal()


def test_secrets_are_not_shown_by_repr(give: Give) -> None:
    give(database_url="postgresql://user:hunter2@host/name")
    shown = repr(load_settings())
    assert "hunter2" not in shown
    assert KEY not in shown


def test_the_secrets_are_the_settings_that_are_masked() -> None:
    masked = (SecretStr, SecretStr | None, tuple[SecretStr, ...])
    assert {
        name for name, field in Settings.model_fields.items() if field.annotation in masked
    } == set(SECRETS)


@pytest.mark.parametrize("token", ["short", "with a space in it", "n\xf6t-for-a-header-1234"])
def test_a_token_of_the_metrics_that_no_header_carries_or_anybody_guesses_is_refused(
    give: Give, token: str
) -> None:
    give(metrics_token=token)
    assert refusal().startswith("RECEIVER_METRICS_TOKEN must be at least 16 characters long")
    assert token not in refusal()


def test_a_secret_may_come_from_a_file(give: Give, tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"{OTHER_KEY}\n")
    give(secret_keys="", secret_keys_file=file)
    assert [key.get_secret_value() for key in load_settings().secret_keys] == [OTHER_KEY]


def test_a_secret_given_twice_is_refused(give: Give, tmp_path: Path) -> None:
    give(secret_keys_file=tmp_path / "keys")
    assert refusal() == (
        "Both RECEIVER_SECRET_KEYS and RECEIVER_SECRET_KEYS_FILE are set: unset one of them."
    )


@pytest.mark.parametrize("content", [None, b"", b" \n", b"\xff\xfe"])
def test_a_file_without_a_readable_secret_is_refused(
    give: Give, tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "keys"
    if content is not None:
        file.write_bytes(content)
    give(secret_keys="", secret_keys_file=file)
    assert "The file that RECEIVER_SECRET_KEYS_FILE names" in refusal()


def test_an_unknown_variable_is_refused_with_the_nearest_name(give: Give) -> None:
    give(lease_second="120")
    assert refusal() == (
        "RECEIVER_LEASE_SECOND is not a setting: did you mean RECEIVER_LEASE_SECONDS?"
    )


def test_an_unknown_variable_near_to_none_is_to_be_unset(give: Give) -> None:
    give(xyz="1")
    assert refusal() == "RECEIVER_XYZ is not a setting: unset it."


def test_only_secrets_come_from_files(give: Give, tmp_path: Path) -> None:
    give(log_level_file=tmp_path / "level")
    assert "RECEIVER_LOG_LEVEL_FILE is not a setting" in refusal()


def test_a_lease_outlives_the_longest_call(give: Give) -> None:
    give(lease_seconds=70, graph_deadline_seconds=60)
    assert refusal() == (
        "RECEIVER_LEASE_SECONDS is 70, and a call to Facebook may take 60 seconds "
        "(RECEIVER_GRAPH_DEADLINE_SECONDS): set the lease to more than 70, or lower the deadline."
    )
    give(lease_seconds=70.5)
    assert load_settings().lease_seconds == 70.5


def test_the_shortest_interval_is_no_longer_than_the_longest(give: Give) -> None:
    give(look_interval_min_seconds=20, look_interval_max_seconds=10)
    assert "RECEIVER_LOOK_INTERVAL_MIN_SECONDS is 20, more than" in refusal()
    give(look_interval_max_seconds=20)
    load_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("trusted_proxies", "11"),
        ("trusted_proxies", "-1"),
        ("graph_version", "21"),
        ("graph_read_timeout_seconds", "0"),
        ("graph_read_timeout_seconds", "soon"),
        ("first_look_seconds", "nan"),
        ("look_interval_max_seconds", "inf"),
        ("hint_interval_seconds", "0.3"),
        ("hint_interval_seconds", "0.001"),
        ("notification_body_limit_bytes", "65537"),
        ("request_body_limit_bytes", "0"),
        ("worker_threads", "0"),
        ("log_level", "loud"),
    ],
)
def test_a_value_out_of_its_range_is_refused_by_the_variables_name(
    give: Give, name: str, value: str
) -> None:
    give(**{name: value})
    assert refusal().startswith(f"RECEIVER_{name.upper()} must ")


def test_every_wrong_setting_is_named_at_once(give: Give) -> None:
    give(worker_threads=0, log_level="loud")
    assert len(refusal().splitlines()) == 2


def test_the_log_level_may_be_written_in_capitals(give: Give) -> None:
    give(log_level="DEBUG")
    assert load_settings().log_level == "debug"


def test_a_setting_knows_where_it_comes_from(give: Give, tmp_path: Path) -> None:
    give(secret_keys="", secret_keys_file=tmp_path / "keys", graph_version="")
    assert origin("public_url") == "environment"
    assert origin("secret_keys") == "file"
    assert origin("graph_version") == "default"


def test_settings_know_what_stands_in_no_log_and_no_page(give: Give) -> None:
    give(
        database_url="postgresql://receiver:hunter2%2Fhunter2@db/name",
        secret_keys=f"{KEY},{OTHER_KEY}",
        metrics_token="a-token-of-metrics",
        broker_url="amqp://receiver:Rabbit-2-hunter@broker//",
    )
    assert secret_values(load_settings()) == (
        KEY,
        OTHER_KEY,
        "a-token-of-metrics",
        "hunter2%2Fhunter2",
        "hunter2/hunter2",
        "Rabbit-2-hunter",
    )


@pytest.mark.parametrize(
    "password", ["set", "password", "receiver", "correcthorsebattery", "12345"]
)
def test_a_password_that_may_be_any_word_hides_nothing(give: Give, password: str) -> None:
    give(
        database_url=f"postgresql://receiver:{password}@db/name",
        broker_url=f"redis://:{password}@broker/0",
    )
    assert secret_values(load_settings()) == (KEY,)
    assert has_weak_password(load_settings())


@pytest.mark.parametrize("url", ["postgresql://receiver@db/name", "sqlite:////tmp/receiver.db"])
def test_a_database_without_a_password_has_no_weak_one(give: Give, url: str) -> None:
    give(database_url=url)
    assert not has_weak_password(load_settings())


def test_settings_do_not_change(give: Give) -> None:
    give()
    with pytest.raises(ValidationError):
        load_settings().worker_threads = 8
