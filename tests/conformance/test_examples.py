"""All of the page's examples together, and what README.md says of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conformance.curl import Shell
from tests.conformance.page import AD_SET, COMMANDS, CORRECTIONS, EXAMPLES_TEXT, ad_spec, corrected
from tests.support.sandbox import GraphCaller, SandboxControl

FOLDER = Path(__file__).parent
SANDBOX = FOLDER.parents[1] / "receiver" / "sandbox"


def section(readme: Path, title: str) -> str:
    found = re.search(
        rf"^## {title}\n(.*?)(?=^## |\Z)",
        readme.read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    assert found is not None
    return found[1]


MISPRINTS = section(FOLDER / "README.md", "Misprints")
TABLE = section(SANDBOX / "README.md", "What of Facebook's page works")
TESTS = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("test_*.py")}


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split(" | ")]


def code_in(text: str) -> list[str]:
    """Return what stands in backticks, single or double."""
    found = re.findall(r"``\s?(.+?)\s?``|`([^`]+)`", text)
    return [double or single for double, single in found]


def test_the_examples_work_in_the_order_of_the_page(
    shell: Shell, sandbox: SandboxControl, graph: GraphCaller
) -> None:
    sandbox.configure("71597454", progress={"kind": "by_hand"})
    set_id = graph.create("71597454", [ad_spec("one"), ad_spec("two")])
    ids = {
        "<REQUEST_SET_ID>": set_id,
        "6012384857989": set_id,
        "<REQUEST_ID>": graph.get(f"/{set_id}/requests")["data"][0]["id"],
        "<AD_SET_ID>": AD_SET,
        "<AD_ACCOUNT_ID>": "71597454",
        "<comma separated list of fields>": "id",
        "<an array of requests>": "[{'name':'a','relative_url':'act_1/campaigns',"
        "'body':'name=a&objective=OUTCOME_TRAFFIC&special_ad_categories=[]'}]",
    }
    for example in COMMANDS:
        filling = {name: value for name, value in ids.items() if name in corrected(example)}
        answer = shell.paste(example, filling)
        assert answer.status == 200, (example, answer.text)
        assert '"error' not in answer.text.replace('"error_count', ""), (example, answer.text)


@pytest.mark.parametrize("example", COMMANDS)
def test_every_example_is_pasted_by_a_test_of_its_own(example: str) -> None:
    assert any(f'"{example}"' in text for text in TESTS.values())


@pytest.mark.parametrize("example", CORRECTIONS)
def test_a_correction_is_named_among_the_misprints(example: str) -> None:
    assert f"`{example}`" in MISPRINTS


def test_a_misprint_is_quoted_as_it_is_printed() -> None:
    rows = [cells(line) for line in MISPRINTS.splitlines() if line.startswith("| `")]
    quotes = [quote for row in rows for quote in code_in(row[1])]
    assert quotes
    assert [quote for quote in quotes if quote not in EXAMPLES_TEXT.replace("\n", "↵")] == []


def test_the_table_names_tests_that_there_are() -> None:
    named = re.findall(r"`(test_\w+\.py)::(\w+)`", TABLE)
    assert named
    assert [f"{file}::{test}" for file, test in named if f"def {test}(" not in TESTS[file]] == []
