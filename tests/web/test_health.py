"""What load balancers are told, and that a stranger learns nothing from it."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from sqlalchemy import create_engine, text

from receiver.app import create_app
from receiver.assembly import build
from receiver.store import heartbeats
from receiver.web import health
from receiver.web.context import detach, readiness
from tests.support.dead_addresses import DEAD, dead_port
from tests.support.house import ACCOUNT, TOKEN, House, make_settings, open_house


@pytest.fixture
def house(house: House) -> House:
    """A house that checks its readiness anew with every call."""
    with house.client.application.app_context():
        readiness()._kept_seconds = 0
    return house


def ready(house: House) -> tuple[int, dict[str, Any]]:
    response = house.client.get("/health/ready")
    return response.status_code, response.get_json()


def test_a_service_with_its_database_and_a_worker_is_ready(house: House) -> None:
    house.let_a_worker_beat()
    status, found = ready(house)
    assert (status, found["status"]) == (200, "ok")
    assert found["checks"].pop("database")["duration_ms"] >= 0
    assert found["checks"] == {
        "migrations": {"status": "ok"},
        "worker": {"status": "ok", "age_seconds": 0.0},
        "broker": None,
        "backlog": {"due_sets": 0, "waiting_sets": 0, "unapplied_notifications": 0},
        "oldest_due_seconds": None,
    }


def test_without_a_worker_it_still_takes_notifications_so_it_is_degraded_and_ready(
    house: House,
) -> None:
    status, found = ready(house)
    assert (status, found["status"]) == (200, "degraded")
    assert found["checks"]["worker"] == {"status": "failed", "age_seconds": None}


def test_a_worker_that_has_been_silent_for_half_a_minute_counts_as_gone(house: House) -> None:
    house.let_a_worker_beat()
    house.clock.move(29)
    assert ready(house)[1]["status"] == "ok"
    house.clock.move(1)
    status, found = ready(house)
    assert (status, found["status"]) == (200, "degraded")
    assert found["checks"]["worker"] == {"status": "failed", "age_seconds": 30.0}


def test_a_worker_whose_clock_is_ahead_is_alive(house: House) -> None:
    house.let_a_worker_beat()
    house.clock.move(-5)
    assert ready(house)[1]["checks"]["worker"] == {"status": "ok", "age_seconds": 0.0}


def test_what_waits_is_counted(house: House) -> None:
    house.create_open()
    house.notify()
    house.clock.move(90)
    _, found = ready(house)
    assert found["checks"]["backlog"] == {
        "due_sets": 1,
        "waiting_sets": 0,
        "unapplied_notifications": 1,
    }
    # It was first due to be looked at after a minute.
    assert found["checks"]["oldest_due_seconds"] == pytest.approx(30, abs=1)


def test_outdated_tables_make_it_unready(house: House) -> None:
    with house.parts.database.begin_writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    status, found = ready(house)
    assert (status, found["status"]) == (503, "failed")
    assert found["checks"]["database"]["status"] == "ok"
    assert found["checks"]["migrations"] == {"status": "failed"}
    assert found["checks"]["worker"] == {"status": "unknown", "age_seconds": None}


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://someone:hunter2@127.0.0.1:1/none",
        "sqlite:////no/such/folder/hunter2.db",
    ],
)
def test_a_database_that_is_away_makes_it_unready_and_not_dead(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = build(make_settings(url, "http://graph.test"))
    app = create_app(parts)
    with closing(parts):
        response = app.test_client().get("/health/ready")
        assert response.status_code == 503
        assert response.get_json()["checks"] == {
            "database": {"status": "failed", "duration_ms": None},
            "migrations": {"status": "unknown"},
            "worker": {"status": "unknown", "age_seconds": None},
            "broker": None,
            "backlog": None,
            "oldest_due_seconds": None,
        }
        assert app.test_client().get("/health/live").status_code == 200
        detach(app)
    assert "hunter2" not in response.text + capsys.readouterr().out.replace("hunter2.db", "")


def test_a_database_that_hangs_makes_it_unready_in_a_moment(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on = threading.Event()
    monkeypatch.setattr(health, "PATIENCE_SECONDS", 0.1)
    real = house.parts.database.probing

    def hang(**arguments: Any) -> Any:
        goes_on.wait(10)
        return real(**arguments)

    with mock.patch.object(house.parts.database, "probing", hang):
        began = time.monotonic()
        assert [ready(house)[0] for _ in range(3)] == [503, 503, 503]
        assert time.monotonic() - began < 5
        goes_on.set()
        monkeypatch.setattr(health, "PATIENCE_SECONDS", 10)
        assert ready(house)[0] == 200


def test_an_error_that_nobody_foresaw_makes_it_unready(house: House) -> None:
    with mock.patch.object(house.parts.database, "probing", side_effect=ValueError("a secret")):
        response = house.client.get("/health/ready")
    assert (response.status_code, "secret" in response.text) == (503, False)


def test_probes_ask_the_database_no_more_than_once_a_second(house: House) -> None:
    with house.client.application.app_context():
        readiness()._kept_seconds = 60
    real = house.parts.database.probing
    with mock.patch.object(house.parts.database, "probing", side_effect=real) as probing:
        for _ in range(5):
            assert ready(house)[0] == 200
    # Once for what it needs, and once for what waits.
    assert probing.call_count == 2


def test_a_worker_that_died_while_its_clock_was_ahead_counts_as_dead(house: House) -> None:
    an_hour_ahead = house.clock() + timedelta(hours=1)
    with house.parts.database.writing() as session:
        heartbeats.beat(session, "w", started_at=house.clock(), now=an_hour_ahead)
    house.clock.move(50 * 60)
    status, found = ready(house)
    assert (status, found["checks"]["worker"]) == (200, {"status": "failed", "age_seconds": None})


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_figures_that_take_too_long_take_no_process_out_of_rotation(
    house: House, database_url: str
) -> None:
    set_id = house.create_open()
    engine = create_engine(database_url)
    with closing(engine.connect()) as other:
        other.execute(text("LOCK TABLE worker_heartbeat IN ACCESS EXCLUSIVE MODE"))
        status, found = ready(house)
        assert house.notify(set_id).status_code == 200
    engine.dispose()
    assert (status, found["status"]) == (200, "degraded")
    assert found["checks"]["database"]["status"] == "ok"
    assert found["checks"]["worker"] == {"status": "unknown", "age_seconds": None}
    assert found["checks"]["backlog"] is None


def test_a_broker_that_answers_is_shown_with_what_waits_in_it(
    database_url: str, broker_url: str
) -> None:
    with open_house(database_url, broker_url=broker_url) as house:
        house.let_a_worker_beat()
        for account_id in (1, 2):
            house.parts.wake(account_id)
        house.parts.close()
        status, found = ready(house)
    assert (status, found["status"]) == (200, "ok")
    assert found["checks"]["broker"] == {"status": "ok", "waiting_messages": 2}


@pytest.mark.parametrize("kind", DEAD)
@pytest.mark.parametrize("scheme", ["redis", "amqp"])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_broker_that_is_away_makes_nobody_unready_and_nothing_slow(
    database_url: str, kind: str, scheme: str
) -> None:
    with dead_port(kind) as port:
        url = f"{scheme}://someone:hunter2@127.0.0.1:{port}/0"
        with open_house(database_url, broker_url=url) as house:
            house.let_a_worker_beat()
            began = time.monotonic()
            for _ in range(5):
                status, found = ready(house)
                assert (status, found["status"]) == (200, "degraded")
                assert found["checks"]["broker"] == {"status": "failed", "waiting_messages": None}
            # Each of the five may wait for half a second, as long as nobody knows.
            assert time.monotonic() - began < 4
            assert "hunter2" not in house.client.get("/health/ready").text


@pytest.mark.parametrize("kind", DEAD)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_broker_that_is_away_makes_no_answer_slower(database_url: str, kind: str) -> None:
    with (
        dead_port(kind) as port,
        open_house(database_url, broker_url=f"redis://127.0.0.1:{port}/0") as house,
    ):
        set_id = house.create_open()
        number = house.the_set().id
        look = f"/admin/api/request-sets/{number}/actions/look"
        key = {"Authorization": f"Bearer {house.key}"}
        began = time.monotonic()
        for _ in range(10):
            assert house.notify(set_id).status_code == 200
            assert house.client.post(look, headers=key, json={}).status_code == 200
        # Each of the ten looks wakes a worker: whoever waited for the broker waited a second.
        assert time.monotonic() - began < 8


def test_life_needs_no_database(house: House) -> None:
    with mock.patch.object(house.parts.database, "reading", side_effect=AssertionError):
        response = house.client.get("/health/live")
    assert (response.status_code, response.get_json()) == (200, {"status": "ok"})
    assert response.headers["Cache-Control"] == "no-store"


def test_a_stranger_learns_no_account_no_name_and_no_url(house: House) -> None:
    house.create_open(name="Our secret campaign")
    house.let_a_worker_beat()
    shown = house.client.get("/health/ready").text
    for hidden in (str(ACCOUNT), "campaign", TOKEN, "http", "a worker", "receiver."):
        assert hidden not in shown
