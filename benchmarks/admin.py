"""How long every list, figure and page of the admin's view takes, and how that grows.

The application runs in this process behind Flask's test client: what is measured is all that the
receiver does for a call, and none of what HTTP and a server add. What the numbers mean stands in
``benchmarks/README.md``.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import click
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from benchmarks.admin_cases import API, PAGES, Case, cases, find_samples
from benchmarks.admin_population import KEYS, NOW
from benchmarks.admin_rows import fill
from benchmarks.databases import BACKENDS, new_database
from benchmarks.installation import settings_of, variables
from benchmarks.plans import watched
from benchmarks.postgresql import SERVER
from benchmarks.quiet import be_quiet
from benchmarks.timing import percentile, seconds_taken
from receiver import garbage
from receiver.app import create_app
from receiver.assembly import Parts, build
from receiver.store.database import Database
from receiver.store.models import RequestSet
from receiver.web.context import detach
from receiver.web.shared_reading import SharedReading

GOAL_MS = 100.0
_CALLS_LEAST = 20
_WARM_UPS = 12
"""PostgreSQL decides with the sixth execution, and the driver prepares with the sixth, too."""

_FORM_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass(frozen=True)
class Measure:
    """How long a case took, in milliseconds; ``cold_ms`` None where that was not measured.

    ``pages`` is how much of the database it looked into.
    """

    key: str
    case: str
    by: str
    calls: int
    p50_ms: float
    p99_ms: float
    cold_ms: float | None
    statements: int
    pages: int | None
    is_partial: bool | None
    kilobytes: float
    indexes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line."""

    sizes: Sequence[int]
    backend: str
    server: str
    urls: Sequence[str]
    key_names: Sequence[str]
    only: str
    calls: int
    seconds: float
    cold: bool
    cold_command: str | None
    as_json: bool


@click.command()
@click.option("--rows", "sizes", type=int, multiple=True, help="Requests; may be repeated.")
@click.option("--backend", type=click.Choice(BACKENDS), default="sqlite")
@click.option("--server", default=SERVER, help="Where databases for --rows may be made.")
@click.option("--database-url", "urls", multiple=True, help="One that admin_rows has filled.")
@click.option("--key", "key_names", type=click.Choice(list(KEYS)), multiple=True)
@click.option(
    "--only", default="", help="Only the cases whose name this finds (a regular expression)."
)
@click.option("--calls", type=int, default=200, show_default=True, help="Warm calls of a case.")
@click.option("--seconds", type=float, default=2.0, show_default=True, help="Of a case, at most.")
@click.option("--cold", is_flag=True, help="Also measure each case once with empty caches.")
@click.option("--cold-command", help="A shell command that empties the caches of the server.")
@click.option("--json", "as_json", is_flag=True, help="Print the measures as JSON.")
def main(**given: Any) -> None:
    """Measure the admin's view on populations of several sizes."""
    options = Options(**given)
    be_quiet()
    report = {}
    with ExitStack() as stack:
        made = [stack.enter_context(_filled(size, options)) for size in options.sizes]
        for url in (*options.urls, *made):
            report[url.rpartition("/")[2]] = _measured(url, options)
    if options.as_json:
        click.echo(json.dumps(report, indent=1))


@contextmanager
def _filled(size: int, options: Options) -> Iterator[str]:
    """Yield the URL of a database with a population, which goes with the block."""
    with (
        tempfile.TemporaryDirectory() as folder,
        new_database(options.backend, Path(folder), label=str(size), server=options.server) as url,
    ):
        with closing(Database(url, timeout_seconds=60)) as database:
            click.echo(f"Filling a database with {size:,} requests", err=True)
            fill(database, rows=size)
        yield url


def _chill(database: Database, command: str | None) -> None:
    """Make the next call a cold one, as far as may be."""
    if command is not None:
        subprocess.run(command, shell=True, check=True, capture_output=True)  # noqa: S602  # whoever measures wrote it
    elif database.engine.dialect.name == "sqlite":
        _forget_file(Path(database.engine.url.database or ""))


def _forget_file(path: Path) -> None:
    """Let the operating system forget what it holds of a file."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _measured(url: str, options: Options) -> list[dict[str, Any]]:
    environment = variables(url, public_url="http://receiver.example")
    parts = build(settings_of(environment), now=lambda: NOW)
    app = create_app(parts)
    # As gunicorn.conf.py has it done in each web worker.
    garbage.search_seldom()
    measures = []
    try:
        for measure in _measures(app, parts, options):
            measures.append(asdict(measure))
            if not options.as_json:
                click.echo(_line(measure))
    finally:
        detach(app)
        parts.close()
    return measures


def _line(one: Measure) -> str:
    cold = "" if one.cold_ms is None else f"{one.cold_ms:8.1f} cold"
    mark = "!" if one.p99_ms > GOAL_MS else " "
    partial = "" if one.is_partial is None else ("partial" if one.is_partial else "whole")
    times = f"{one.p50_ms:8.2f} p50 {one.p99_ms:8.2f} p99 {cold} of {one.calls}"
    read = f"{one.statements:4} statements {one.pages or 0:6} pages"
    took = f"{read} {one.kilobytes:7.1f} KB {partial:8} {one.by:6}"
    return f"{mark} {one.key:6} {times} {took} {one.case}  {','.join(one.indexes)}"


def _measures(app: Flask, parts: Parts, options: Options) -> Iterator[Measure]:
    _read_anew(app)
    yield _floor(parts, options)
    for name in options.key_names or KEYS:
        key, account_ids = KEYS[name]
        client = app.test_client()
        _sign_in(client, key)
        caller = _Caller(client, key)
        for case in cases(find_samples(parts.database, account_ids)):
            if re.search(options.only, case.name):
                yield _measure(parts, caller, case, options, key_name=name)


def _read_anew(app: Flask) -> None:
    """Let each call read what is otherwise kept for a second or five, for everybody who asks."""
    for name, reading in app.extensions.items():
        if isinstance(reading, SharedReading):
            app.extensions[name] = SharedReading(reading._read, kept_seconds=0.0)  # noqa: SLF001  # nobody else would want to


def _sign_in(client: FlaskClient, key: str) -> None:
    found = _FORM_TOKEN.search(client.get(f"{PAGES}/sign-in").text)
    form = {"csrf_token": found[1] if found else "", "key": key}
    if client.post(f"{PAGES}/sign-in", data=form).status_code != 302:  # noqa: PLR2004  # on to the overview
        raise click.ClickException("The population's key does not sign in.")


@dataclass(frozen=True)
class _Caller:
    client: FlaskClient
    key: str

    def call(self, path: str, query: dict[str, str]) -> bytes:
        headers = {"Authorization": f"Bearer {self.key}"} if path.startswith(API) else {}
        answer = self.client.get(path, query_string=query, headers=headers)
        if answer.status_code not in (200, 404):
            raise click.ClickException(f"{path} {query}: {answer.status} {answer.text}")
        body: bytes = answer.data
        return body


def _floor(parts: Parts, options: Options) -> Measure:
    """Read one row by its primary key, in a transaction of its own, as every call does."""
    statement = select(RequestSet.id, RequestSet.state).where(RequestSet.id == 1)

    def read() -> bytes:
        with parts.database.reading() as session:
            session.execute(statement).one()
        return b""

    times = _times(read, options)
    return Measure("-", "floor", "rows", len(times), *_percentiles(times), None, 1, None, None, 0.0)


def _measure(
    parts: Parts, caller: _Caller, case: Case, options: Options, *, key_name: str
) -> Measure:
    query = {name: value for name, value in case.query.items() if name != "number"}
    path = case.path.replace("<number>", case.query.get("number", ""))
    for _ in range(case.pages_deep):
        page = json.loads(caller.call(path, {**query, "limit": "500"}))
        query = {"cursor": page["next_cursor"]} if page["next_cursor"] else query
    with watched(parts.database) as statements:
        body = caller.call(path, query)
    times = _times(lambda: caller.call(path, query), options)
    cold_ms = _cold_ms(parts, lambda: caller.call(path, query), options)
    with parts.database.engine.connect() as connection:
        indexes, pages = statements.indexes(connection), statements.pages(connection)
    is_list = path.startswith(API) and body.startswith(b'{"next_cursor"')
    return Measure(
        key_name,
        case.name,
        case.by,
        len(times),
        *_percentiles(times),
        cold_ms,
        len(statements.executed),
        pages,
        json.loads(body)["is_partial"] if is_list else None,
        round(len(body) / 1024, 1),
        indexes,
    )


def _times(call: Callable[[], object], options: Options) -> list[float]:
    """Return how long warm calls took, the shortest first: fewer of them where they are slow."""
    began = time.perf_counter()
    for _ in range(_WARM_UPS):
        call()
        if time.perf_counter() - began > options.seconds:
            break
    times: list[float] = []
    began = time.perf_counter()
    while len(times) < options.calls:
        if len(times) >= _CALLS_LEAST and time.perf_counter() - began > options.seconds:
            break
        times.append(seconds_taken(call))
    return sorted(times)


def _percentiles(times: list[float]) -> tuple[float, float]:
    return round(1000 * median(times), 2), round(1000 * percentile(times, 0.99), 2)


def _cold_ms(parts: Parts, call: Callable[[], object], options: Options) -> float | None:
    if not options.cold and options.cold_command is None:
        return None
    parts.database.close()
    _chill(parts.database, options.cold_command)
    with parts.database.reading() as session:
        session.execute(select(1))
    return round(1000 * seconds_taken(call), 1)


if __name__ == "__main__":
    main()
