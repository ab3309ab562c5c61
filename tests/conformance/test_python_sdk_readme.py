"""The Python of the sandbox's README works as printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.sandbox import SandboxControl

README = Path(__file__).parents[2] / "receiver" / "sandbox" / "README.md"


def test_the_example_for_the_python_sdk_works(
    sandbox: SandboxControl, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = re.search(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert printed is not None
    namespace: dict[str, object] = {}
    code = printed[1].replace("http://127.0.0.1:9100", sandbox.url)
    exec(code, namespace)  # the README is ours
    first, second, campaign = capsys.readouterr().out.splitlines()
    assert " SUCCESS {'id': '" in first
    assert " ERROR {'error_code': " in second
    assert campaign.startswith("{'name': 'a', 'id': '")
    assert [each["name"] for each in sandbox.ledger("1")] == ["demo"]
