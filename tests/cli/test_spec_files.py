from __future__ import annotations

import csv
import io
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.cli import spec_files
from receiver.cli.spec_files import (
    MAX_LINE_BYTES,
    BadFile,
    BadRow,
    Format,
    Row,
    format_of,
    read_rows,
    refuse_repeats,
)


def read(
    data: bytes | str, *, file_format: Format = "ndjson", key_column: str | None = None
) -> list[Row | BadRow]:
    stream = io.BytesIO(data.encode() if isinstance(data, str) else data)
    rows = read_rows(stream, file_format=file_format, key_column=key_column)
    return list(refuse_repeats(rows))


def specs(rows: list[Row | BadRow]) -> list[Any]:
    assert all(isinstance(row, Row) for row in rows), rows
    return [row.spec for row in rows if isinstance(row, Row)]


def keys(rows: list[Row | BadRow]) -> list[str | None]:
    return [row.key for row in rows if isinstance(row, Row)]


def findings(rows: list[Row | BadRow]) -> list[str]:
    return [str(row) for row in rows if isinstance(row, BadRow)]


def written(rows: list[list[str]], **options: Any) -> bytes:
    text = io.StringIO()
    csv.writer(text, **options).writerows(rows)
    return text.getvalue().encode()


# What JSON and a database can hold: no lone surrogate, which no UTF-8 file holds either.
texts = st.text(st.characters(codec="utf-8"))
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(texts.filter(lambda name: name != "row_key"), values, max_size=4)


@given(
    st.lists(objects, max_size=5),
    st.sampled_from(["\n", "\r\n", "\n\n", "\n \t\n"]),
    st.sampled_from([b"", b"\xef\xbb\xbf"]),
    st.sampled_from(["", "\n", "\r\n"]),
)
def test_ndjson_is_read_as_it_was_written(
    given_specs: list[Any], line_end: str, mark: bytes, last: str
) -> None:
    lines = line_end.join(json.dumps(spec, ensure_ascii=not last) for spec in given_specs)
    assert specs(read(mark + (lines + last).encode())) == given_specs


names = st.text("abcdefgh_", min_size=1, max_size=8).filter(lambda name: name != "row_key")
# What is only spaces is left out, and what begins like JSON is JSON.
cells = texts.filter(lambda text: text.strip() and text.lstrip()[0] not in "{[")
json_cells = st.dictionaries(texts, values, max_size=3) | st.lists(values, max_size=3)


@given(
    st.lists(names, unique=True, min_size=1, max_size=4).flatmap(
        lambda columns: st.lists(
            st.fixed_dictionaries({}, optional=dict.fromkeys(columns, cells | json_cells)),
            max_size=4,
        ).map(lambda rows: (columns, rows))
    ),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([b"", b"\xef\xbb\xbf"]),
)
def test_csv_is_read_as_it_was_written(
    table: tuple[list[str], list[dict[str, Any]]], line_end: str, mark: bytes
) -> None:
    columns, rows = table
    lines = [columns, *([_cell(row.get(name)) for name in columns] for row in rows)]
    data = mark + written(lines, lineterminator=line_end, quoting=csv.QUOTE_ALL)
    assert specs(read(data, file_format="csv")) == [row for row in rows if row]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def test_dotted_columns_and_json_cells_make_nested_values_and_empty_cells_nothing() -> None:
    data = (
        "name,creative.creative_id,targeting,tracking.a.b,status\n"
        '[US] Shoes,7,"{""geo"": [""DE""]}",x,\n'
        '{{product.name}},,"[1, 2]",,PAUSED\n'
    )
    assert specs(read(data, file_format="csv")) == [
        {
            "name": "[US] Shoes",
            "creative": {"creative_id": "7"},
            "targeting": {"geo": ["DE"]},
            "tracking": {"a": {"b": "x"}},
        },
        {"name": "{{product.name}}", "targeting": [1, 2], "status": "PAUSED"},
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "is not JSON: Expecting property name enclosed in double quotes at character 2"),
        ("[]", "is no JSON object"),
        ('"text"', "is no JSON object"),
        ('{"bid": NaN}', "is not JSON: NaN is no JSON"),
        ('{"bid": 1e999}', "is not JSON: 1e999 is too large a number"),
        ("[" * 100_000, "is not JSON: The JSON is nested too deeply"),
    ],
)
def test_a_line_that_is_no_ad_is_told_by_its_number_and_the_rest_is_read(
    line: str, reason: str
) -> None:
    rows = read(f'{{"name": "a"}}\n\n{line}\n{{"name": "b"}}\n')
    (finding,) = findings(rows)
    assert finding.startswith(f"Line 3 {reason}"), finding
    assert len(rows) == 3


def test_a_line_that_is_not_utf_8_is_told_by_its_number() -> None:
    assert findings(read(b'{}\n{"name": "Stra\xdfe"}\n')) == ["Line 2 is not UTF-8 at byte 15."]
    with pytest.raises(BadFile, match=r"Line 2 is not UTF-8 at byte 5: save the file as CSV in"):
        read(b"name\nStra\xdfe\n", file_format="csv")


@pytest.mark.parametrize("file_format", ["ndjson", "csv"])
def test_a_file_in_utf_16_is_told(file_format: Format) -> None:
    with pytest.raises(BadFile, match="UTF-16"):
        read('{"name": "a"}'.encode("utf-16"), file_format=file_format)


@pytest.mark.parametrize("file_format", ["ndjson", "csv"])
def test_a_line_that_does_not_end_is_not_read_to_its_end(file_format: Format) -> None:
    with pytest.raises(BadFile, match="Line 2 is longer than"):
        read(b"name\n" + b"x" * (MAX_LINE_BYTES + 1), file_format=file_format)


def test_a_cell_may_be_as_long_as_a_line() -> None:
    longest = "x" * (MAX_LINE_BYTES - len("\n"))
    assert specs(read(f"name\n{longest}\n", file_format="csv")) == [{"name": longest}]


def test_a_file_that_is_too_large_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spec_files, "MAX_FILE_BYTES", 10)
    with pytest.raises(BadFile, match="larger than 10 bytes"):
        read('{"a": 1}\n{"a": 2}\n')


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ("a;b\n1;2\n", "separate the columns by commas"),
        ("a,,b\n", "Column 2 of the header has no usable name"),
        ("a,b..c\n", "Column 2 of the header has no usable name"),
        ("a,b,a\n", "names the column 'a' twice"),
        ('a\n1\n"2\n3\n', "begins at line 3 is no CSV"),
        ('a\n"1"2\n', "begins at line 2 is no CSV"),
        ('a\n"' + f"{'x' * 1_000_000}\n" * 5, "begins at line 2 is no CSV: field larger than"),
    ],
)
def test_a_file_that_is_no_csv_is_told_in_words(data: str, sentence: str) -> None:
    with pytest.raises(BadFile) as raised:
        read(data, file_format="csv")
    assert sentence in str(raised.value)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1,2", "has 2 cells, and the header has 4"),
        ("1,2,3,4,5", "has 5 cells, and the header has 4"),
        ('1,"{""geo"": [""DE""",,', "holds JSON in b that cannot be read"),
        ("1,,x,y", "has a value in c and another one in c.d"),
    ],
)
def test_a_row_that_is_no_ad_is_told_by_the_line_where_it_begins(row: str, reason: str) -> None:
    rows = read(f'a,b,c,c.d\n"on two\nlines",,,\n{row}\n1,,,\n', file_format="csv")
    assert findings(rows) == [f"Line 4 {reason}."]
    assert len(rows) == 3


def test_rows_without_a_filled_cell_are_left_out() -> None:
    assert specs(read("a,b\n,\n\n1,\n", file_format="csv")) == [{"a": "1"}]


def test_the_key_is_taken_out_of_the_spec() -> None:
    rows = read('{"name": "a", "row_key": "x"}\n{"name": "b", "row_key": 7}\n')
    assert (specs(rows), keys(rows)) == ([{"name": "a"}, {"name": "b"}], ["x", "7"])
    rows = read("name,sku.id\na,x\nb,y\n", file_format="csv", key_column="sku.id")
    assert (specs(rows), keys(rows)) == ([{"name": "a"}, {"name": "b"}], ["x", "y"])


def test_a_csv_key_is_a_text_whatever_it_looks_like() -> None:
    assert keys(read('row_key,name\n"[""x""",a\n', file_format="csv")) == ['["x"']


def test_a_key_that_another_row_has_is_told_with_both_lines() -> None:
    rows = read('{"row_key": "x"}\n{"row_key": "y"}\n{"row_key": "x"}\n')
    assert findings(rows) == ["Line 3 has the key 'x', as line 1 has."]


@pytest.mark.parametrize(
    ("lines", "finding"),
    [
        ('{"row_key": "x"}\n{}\n', "Line 2 has no key."),
        ('{}\n{"row_key": "x"}\n', "Line 2 has a key, and others do not."),
        ('{"row_key": ""}\n', "Line 1 has an empty row_key."),
        (
            '{"row_key": "\\ud83d"}\n',
            "Line 1 has a row_key with U+0000 or half of a surrogate pair in it.",
        ),
        (
            '{"row_key": "a\\u0000"}\n',
            "Line 1 has a row_key with U+0000 or half of a surrogate pair in it.",
        ),
        ('{"row_key": true}\n', "Line 1 has a row_key that is neither a text nor a whole number."),
        ('{"row_key": [1]}\n', "Line 1 has a row_key that is neither a text nor a whole number."),
    ],
)
def test_either_every_row_has_a_key_or_none(lines: str, finding: str) -> None:
    assert findings(read(lines)) == [finding]


def test_a_key_column_that_was_named_is_in_every_row() -> None:
    assert findings(read("{}\n", key_column="sku")) == ["Line 1 has no key."]
    assert findings(read("sku,a\n,1\n", file_format="csv", key_column="sku")) == [
        "Line 2 has an empty sku."
    ]
    with pytest.raises(BadFile, match="names no column sku"):
        read("name\na\n", file_format="csv", key_column="sku")


@pytest.mark.parametrize("file_format", ["ndjson", "csv"])
@pytest.mark.parametrize("data", [b"", b"\n\r\n", b"\xef\xbb\xbf"])
def test_an_empty_file_has_no_rows(data: bytes, file_format: Format) -> None:
    assert read(data, file_format=file_format) == []


@given(st.binary(max_size=200), st.sampled_from(["ndjson", "csv"]))
def test_whatever_stands_in_a_file_it_is_read_or_refused(data: bytes, file_format: Format) -> None:
    with suppress(BadFile):
        assert all(isinstance(row, (Row, BadRow)) for row in read(data, file_format=file_format))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ads.NDJSON", "ndjson"),
        ("a.jsonl", "ndjson"),
        ("b.csv", "csv"),
        ("c.txt", None),
        ("-", None),
    ],
)
def test_the_ending_tells_the_format(name: str, expected: Format | None) -> None:
    assert format_of(name) == expected
