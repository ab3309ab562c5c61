"""What axe-core finds on a page, in a few words for each finding."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_axe = Axe()


def broken_rules(page: Page) -> list[str]:
    """Every rule of axe-core that a page breaks, with where and why it does."""
    found: dict[str, Any] = _axe.run(page, options={"resultTypes": ["violations"]}).response
    return [
        f"{rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]
