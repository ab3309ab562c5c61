"""receiver set list: the filters of the admin API, as tables and JSON."""

from __future__ import annotations

import pytest

from tests.support.house import ACCOUNT, House, ad
from tests.support.set_commands import document, run_set

sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def with_sets(house: House) -> None:
    house.notify(house.create_open([ad("one"), ad("fail")], name="Spring [red]"))
    house.work()
    house.create_open(name="Summer")


def names(house: House, *options: object) -> list[str]:
    result = run_set(house, "list", *options, "--json")
    assert result.exit_code == 0, result.output
    return [row["name"] for row in document(result)["data"]]


def test_sets_are_listed_newest_first_and_narrowed(house: House) -> None:
    with_sets(house)

    assert names(house) == ["Summer", "Spring [red]"]
    assert names(house, "--sort", "created_at") == ["Spring [red]", "Summer"]
    assert names(house, "--state", "open,stuck") == ["Summer"]
    assert names(house, "--with-errors") == ["Spring [red]"]
    assert names(house, "--without-errors") == ["Summer"]
    assert names(house, "--name", "SPR", "--verdict", "delivered") == ["Spring [red]"]
    assert names(house, "--account", f"act_{ACCOUNT}", "--name", "spring") == ["Spring [red]"]
    assert names(house, "--late") == []


@sqlite_only
def test_an_account_that_nobody_added_is_refused(house: House) -> None:
    refused = run_set(house, "list", "--account", "act_4711")
    assert (refused.exit_code, "act_4711 is not known" in refused.stderr) == (2, True)


@sqlite_only
def test_a_page_says_how_to_go_on(house: House) -> None:
    with_sets(house)

    first = run_set(house, "list", "--limit", 1)
    cursor = first.output.split("--cursor ")[1].strip()
    second = run_set(house, "list", "--limit", 1, "--cursor", cursor)

    assert "Summer" in first.output
    assert "Spring [red]" in second.output.replace("\n", " ")
    assert "--cursor" not in second.output


@sqlite_only
@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--state", "happy"], "state"),
        (["--since", "yesterday"], "since"),
        (["--limit", 0], "limit"),
        (["--cursor", "tampered"], "cursor"),
        (["--sort", "colour"], "sort"),
        (["--since", "2026-01-02T00:00:00Z", "--until", "2026-01-01T00:00:00Z"], "until"),
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_a_wrong_use(house: House, options: list[str], word: str) -> None:
    result = run_set(house, "list", *options)

    assert result.exit_code == 2
    assert word in result.output


@sqlite_only
def test_nothing_is_said_in_words(house: House) -> None:
    assert "No set meets these filters" in run_set(house, "list").output
