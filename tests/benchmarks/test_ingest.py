from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import ingest
from benchmarks.figure import Figure
from benchmarks.ingest_contenders import FIRST_NUMBER, Contender, Notifications, Table
from benchmarks.ingest_rounds import NotKept, Round, generating
from benchmarks.web_server import WebServer

_ROUND = Round(
    per_second=100,
    p50_ms=1,
    p99_ms=2,
    accepted=300,
    refused=0,
    broken=0,
    unanswered=0,
    stored=300,
    generator_cpu_share=0.1,
    worker_cpu_shares=(0.5, 0.5),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "kept.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE kept (id INTEGER PRIMARY KEY, body BLOB, named INTEGER)")
    return path


def keep(path: Path, rows: Sequence[tuple[bytes, int]]) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany("INSERT INTO kept (body, named) VALUES (?, ?)", rows)


def test_a_worker_is_idle_that_took_a_fifth_of_what_the_other_took() -> None:
    assert replace(_ROUND, worker_cpu_shares=(0.9, 0.1)).has_idle_worker
    assert not replace(_ROUND, worker_cpu_shares=(0.9, 0.3)).has_idle_worker


def test_a_worker_that_could_not_answer_was_not_idle() -> None:
    assert not replace(_ROUND, worker_cpu_shares=(0.05, 0.0), unanswered=9).has_idle_worker


def test_a_table_tells_the_messages_of_its_new_rows(path: Path) -> None:
    table = Table(f"sqlite:///{path}", "kept", named_by="named")
    keep(path, [(b'{"id": "5"}', 5), (b'{"id": "6"}', 6)])
    assert table.new_numbers() == [5, 6]
    keep(path, [(b'{"id": "evt_7"}', 7)])
    assert table.new_numbers() == [7]
    assert table.new_numbers() == []


def test_a_row_that_holds_the_body_of_another_message_is_an_error(path: Path) -> None:
    keep(path, [(b'{"id": "5"}', 6)])
    with pytest.raises(ValueError, match="A row of 6 holds"):
        Table(f"sqlite:///{path}", "kept", named_by="named").new_numbers()


def test_ours_is_compared_with_the_peers_round_of_the_same_turn() -> None:
    found = {
        "ours": [replace(_ROUND, per_second=rate) for rate in (80, 200, 90)],
        "noop": [replace(_ROUND, per_second=rate) for rate in (100, 100, 300)],
    }
    rate, p99 = ingest._figures_against("noop", found, backend="sqlite")
    assert (rate.value, rate.lowest, rate.highest) == (0.8, 0.3, 2.0)
    assert (rate.is_met, p99.is_met) == (True, True)


@pytest.mark.drill
def test_what_gunicorn_accepted_is_found_in_the_database() -> None:
    figures = list(
        ingest.measured("sqlite", parts=["ours", "noop"], rounds=1, seconds=0.5, say=print)
    )
    rate = figures[0]
    assert isinstance(rate, Figure)
    assert rate.value > 0
    assert [each.name for each in figures if each.document()["target"]] == [
        "sqlite: 2xx a second",
        "sqlite: p99",
    ]


@pytest.mark.drill
def test_a_2xx_without_its_row_ends_the_benchmark(path: Path, tmp_path: Path) -> None:
    def start() -> WebServer:
        application = "benchmarks.peers.flask_views:doing_nothing()"
        options = ("--worker-class", "gthread", "--reuse-port", "--no-control-socket")
        environment = {"PYTHONPATH": str(Path(ingest.__file__).parents[1])}
        return WebServer(
            application,
            log=tmp_path / "log",
            options=options,
            environment=environment,
            folder=tmp_path,
        )

    contender = Contender(start, Notifications(), Table(f"sqlite:///{path}", "kept"))
    keep(path, [(f'{{"id": "{FIRST_NUMBER}"}}'.encode(), FIRST_NUMBER)])
    with (
        closing(start()) as server,
        generating() as generator,
        pytest.raises(NotKept, match=str(FIRST_NUMBER + 1)),
    ):
        generator.round(contender, server, seconds=0.3)
