"""Programs that tests run and a machine may lack."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest


def required_program(*names: str) -> str:
    """Return the path of a program, by the first of its names that is there.

    Without any of them, the test is ``lacking`` it.
    """
    found = [path for path in map(shutil.which, names) if path is not None]
    if not found:
        lacking(f"{' or '.join(names)} is not installed")
    return found[0]


def lacking(reason: str) -> NoReturn:
    """Skip the test, visibly; fail it where all is required."""
    if os.environ.get("RECEIVER_TEST_REQUIRE") == "all":
        pytest.fail(f"Everything is required: {reason}")
    pytest.skip(reason)
