from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.lifecycle.exports import formats

COLUMNS = ("id", "name", "made_at", "count")
ROWS = st.fixed_dictionaries(
    {
        "id": st.integers(1, 2**63 - 1),
        "name": st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0")),
        "made_at": st.none() | st.just(datetime(2026, 1, 2, tzinfo=UTC)),
        "count": st.none() | st.integers(-5, 5),
    }
)


def written(rows: list[dict[str, Any]], kind: formats.Format) -> str:
    return b"".join(formats.write([rows], columns=COLUMNS, kind=kind)).decode()


@given(rows=st.lists(ROWS, max_size=5))
def test_every_line_of_ndjson_is_a_row(rows: list[dict[str, Any]]) -> None:
    lines = [json.loads(line) for line in written(rows, "ndjson").split("\n") if line]

    assert [line["id"] for line in lines] == [str(row["id"]) for row in rows]
    assert [line["name"] for line in lines] == [row["name"] for row in rows]


@given(rows=st.lists(ROWS, max_size=5))
def test_a_csv_holds_the_rows_and_no_formula(rows: list[dict[str, Any]]) -> None:
    read = list(csv.reader(io.StringIO(written(rows, "csv"), newline="")))

    assert read[0] == list(COLUMNS)
    assert len(read) == len(rows) + 1
    for cells, row in zip(read[1:], rows, strict=True):
        assert cells[0] == str(row["id"])
        assert cells[1].lstrip(" ")[:1] not in tuple("=+-@\t\r\n")
        assert cells[1].replace("'", "") == (row["name"] or "").replace("'", "")
        # A number is a number: only texts can be formulas.
        assert cells[3] == ("" if row["count"] is None else str(row["count"]))


@pytest.mark.parametrize(
    "name",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", " =1", "\uff1d1", '=HYPERLINK("x")'],
)
def test_a_text_that_a_spreadsheet_would_run_begins_with_an_apostrophe(name: str) -> None:
    text = written([{"id": 1, "name": name, "made_at": None, "count": None}], "csv")

    (_, row) = csv.reader(io.StringIO(text, newline=""))
    assert row[1] == f"'{name}"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a;=1+1;b", "a;'=1+1;b"),
        ("a; +1", "a; '+1"),
        ("a\t@SUM(A1)", "a\t'@SUM(A1)"),
        ("\t=1", "'\t'=1"),
        ("a\n-1", "a\n'-1"),
        ('a;"=cmd()&"', 'a;"\'=cmd()&"'),
        ("a;\uff1d1", "a;'\uff1d1"),
        ("1;2-3; x=4", "1;2-3; x=4"),
    ],
)
def test_a_formula_begins_behind_no_separator_of_another_program(name: str, shown: str) -> None:
    text = written([{"id": 1, "name": name, "made_at": None, "count": None}], "csv")

    (_, row) = csv.reader(io.StringIO(text, newline=""))
    assert row[1] == shown
    for delimiter in (";", "\t"):
        cells = [
            cell
            for line in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
            for cell in line
        ]
        assert not any(cell.lstrip(' "').startswith(tuple("=+-@")) for cell in cells)


@pytest.mark.parametrize("kind", ["ndjson", "csv"])
def test_half_of_a_surrogate_pair_stops_no_export(kind: formats.Format) -> None:
    row = {"id": 1, "name": "a\ud83d", "made_at": None, "count": None}

    text = written([row, {**row, "id": 2, "name": "b"}], kind)

    assert len(text.splitlines()) == (2 if kind == "ndjson" else 3)
    assert ("a\ufffd" if kind == "ndjson" else "a?") in text


@pytest.mark.parametrize("kind", ["ndjson", "csv"])
def test_of_an_empty_page_comes_a_piece_at_once(kind: formats.Format) -> None:
    header = b"id,name,made_at,count\r\n" if kind == "csv" else b""

    pieces = formats.write(iter([[], []]), columns=COLUMNS, kind=kind)

    assert list(pieces) == [header, b""]


def test_a_null_character_is_left_out_of_a_csv() -> None:
    row = {"id": 1, "name": "a\0b", "made_at": None, "count": None}

    assert "a\0b" in json.loads(written([row], "ndjson"))["name"]
    assert "ab" in written([row], "csv")


def test_many_rows_come_in_pieces() -> None:
    page = [{"id": 1, "name": "x", "made_at": None, "count": 0}] * 500

    pieces = list(formats.write([page, page], columns=COLUMNS, kind="csv"))

    assert len(pieces) == 6
    assert max(map(len, pieces)) < 4000
