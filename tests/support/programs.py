"""Programs that tests run and a machine may lack."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest


def required_program(name: str) -> str:
    """Return the path of a program; without it, the test is ``lacking`` it."""
    path = shutil.which(name)
    if path is None:
        lacking(f"{name} is not installed")
    return path


def lacking(reason: str) -> NoReturn:
    """Skip the test, visibly; fail it where all is required."""
    if os.environ.get("RECEIVER_TEST_REQUIRE") == "all":
        pytest.fail(f"Everything is required: {reason}")
    pytest.skip(reason)
