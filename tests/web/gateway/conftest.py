"""The gateway's statements are the store's, which is tested on both databases: here PostgreSQL's
turn, the same tests once more, comes with the drills.
"""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.hookimpl(tryfirst=True)  # before pytest chooses by markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and "postgresql" in item.name:
            item.add_marker(pytest.mark.drill)
