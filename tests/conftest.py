"""What every test may use: a fresh database of each kind, a receiver, a sandbox."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import hypothesis
import pytest
import structlog

from receiver.store.database import Database
from tests.support.brokers import OwnBroker, empty, own_broker
from tests.support.databases import (
    BACKENDS,
    compile_statements_once,
    drop_databases,
    fresh_database_url,
)
from tests.support.house import House, open_house
from tests.support.sandbox import GraphCaller, SandboxControl, running_sandbox


def pytest_configure() -> None:
    # How long an example takes is no promise of ours, and a busy machine takes its time.
    hypothesis.settings.register_profile("receiver", deadline=None)
    hypothesis.settings.load_profile("receiver")
    # The library's own way to draw a traceback, with every local variable, takes seconds.
    structlog.configure(
        processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()]
    )
    compile_statements_once()


_POSTGRESQL_WITH_THE_DRILLS = ("cli", "lifecycle", "web", "worker")
"""Folders of tests whose statements are the store's, which is tested on both databases.

PostgreSQL's turn there, the same tests once more, comes with the drills.
"""


@pytest.hookimpl(tryfirst=True)  # before pytest chooses by markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    folders = {here / folder for folder in _POSTGRESQL_WITH_THE_DRILLS}
    for item in items:
        is_matrix = item.get_closest_marker("long") is not None
        is_there = not folders.isdisjoint(item.path.parents)
        if is_there and "postgresql" in item.name and not is_matrix:
            item.add_marker(pytest.mark.drill)


@pytest.fixture(params=BACKENDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty, migrated database; the test runs once for each kind."""
    with fresh_database_url(request.param, tmp_path) as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty, migrated database; the test runs once for each kind."""
    database = Database(database_url, timeout_seconds=5)
    yield database
    database.close()


@pytest.fixture
def house(database_url: str) -> Iterator[House]:
    """A receiver in this process with a sandbox; the test runs once for each kind of database."""
    with open_house(database_url) as house:
        yield house


@pytest.fixture
def sandbox() -> Iterator[SandboxControl]:
    """A sandbox in this process, of the test's own."""
    with running_sandbox() as control:
        yield control


@pytest.fixture(scope="session")
def _redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnBroker]:
    with own_broker("redis", tmp_path_factory.mktemp("redis")) as broker:
        yield broker


@pytest.fixture
def broker_url(_redis: OwnBroker) -> str:
    """The URL of a broker that runs and holds no message; nobody else uses it."""
    empty(_redis.url)
    return _redis.url


@pytest.fixture
def graph(sandbox: SandboxControl) -> Iterator[GraphCaller]:
    """Plain Graph calls to the sandbox."""
    caller = GraphCaller(sandbox.url)
    with caller.session:
        yield caller


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where every service is required, a test that skips has failed."""
    report = yield
    if report.skipped and os.environ.get("RECEIVER_TEST_REQUIRE") == "all":
        report.outcome = "failed"
    return report


def pytest_sessionfinish() -> None:
    drop_databases()
