"""What is installed only where it is wanted is not asked for elsewhere."""

from __future__ import annotations

import subprocess
import sys

import pytest

EVERYTHING = """
import importlib, pkgutil, sys
for name in {missing!r}:
    sys.modules[name] = None
import receiver
for module in pkgutil.walk_packages(receiver.__path__, "receiver."):
    if module.name not in {needed_by!r}:
        importlib.import_module(module.name)
from receiver.store.database import Database
Database("sqlite:////nowhere", timeout_seconds=1)
"""


@pytest.mark.drill
@pytest.mark.parametrize(
    ("missing", "needed_by"),
    [
        (["psycopg"], ["receiver.store.inbox.postgresql"]),
        (["celery", "kombu", "redis"], ["receiver.worker.celery", "receiver.__main__"]),
    ],
    ids=["PostgreSQL", "Celery"],
)
def test_every_module_can_be_imported_without_an_extra(
    missing: list[str], needed_by: list[str]
) -> None:
    program = EVERYTHING.format(missing=missing, needed_by=[*needed_by, "receiver.__main__"])
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
