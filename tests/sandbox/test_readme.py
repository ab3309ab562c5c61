from __future__ import annotations

from pathlib import Path

import pytest

import receiver.sandbox
from receiver.sandbox.control import ROUTES

README = Path(receiver.sandbox.__file__).with_name("README.md")


@pytest.mark.parametrize("call", [f"{route.method} {route.path}" for route in ROUTES])
def test_the_readme_names_every_control_call(call: str) -> None:
    assert f"`{call}`" in README.read_text()
