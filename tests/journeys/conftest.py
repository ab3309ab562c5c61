"""What journeys run on: one sandbox for each process of the test run, and receivers on both kinds
of database. Troubles and counts belong to an account, and every journey has its own.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.support.browser import running_browser
from tests.support.databases import BACKENDS, fresh_database_url
from tests.support.processes import TALKATIVE, Customer, Installation, sandbox_process
from tests.support.sandbox import SandboxControl

_accounts = itertools.count(71_597_454)


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxControl]:
    with sandbox_process(tmp_path_factory.mktemp("sandbox")) as control:
        yield control


@pytest.fixture(scope="session")
def shared_installation(
    tmp_path_factory: pytest.TempPathFactory, sandbox: SandboxControl
) -> Iterator[Callable[[str], Installation]]:
    """A running receiver for each kind of database, started once and shared by gentle journeys."""
    running: dict[str, Installation] = {}
    with ExitStack() as stack:

        def start(backend: str) -> Installation:
            if backend not in running:
                folder = tmp_path_factory.mktemp(backend)
                url = stack.enter_context(fresh_database_url(backend, folder))
                running[backend] = Installation(folder, database_url=url, sandbox=sandbox)
                stack.callback(running[backend].close)
                running[backend].start_web(*TALKATIVE)
                running[backend].start_worker()
            return running[backend]

        yield start


@pytest.fixture(params=BACKENDS)
def customer(
    request: pytest.FixtureRequest, shared_installation: Callable[[str], Installation]
) -> Iterator[Customer]:
    """A customer of a receiver that runs: gunicorn and one worker."""
    customer = shared_installation(request.param).add_customer(str(next(_accounts)))
    yield customer
    customer.leave()


@pytest.fixture
def installation(
    database_url: str, tmp_path: Path, sandbox: SandboxControl
) -> Iterator[Installation]:
    """A receiver of the journey's own, of which nothing has been started."""
    installation = Installation(tmp_path, database_url=database_url, sandbox=sandbox)
    try:
        yield installation
    finally:
        sandbox.release()
        installation.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's browser, started once in each process of the test run."""
    with running_browser() as browser:
        yield browser


@pytest.fixture
def own_customer(installation: Installation) -> Customer:
    """A customer of the journey's own receiver."""
    return installation.add_customer(str(next(_accounts)))
