"""Read the specifications of ads out of a file: NDJSON or CSV (no I/O but the stream handed in).

A file is read line by line and never held whole. A line that is wrong is told apart from a file
that cannot be read any further: after the first, the rest may still be looked through.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Any, Literal

from receiver.graph.json_values import is_storable
from receiver.graph.lenient_json import loads_strict

Format = Literal["ndjson", "csv"]
FORMATS: tuple[Format, ...] = ("ndjson", "csv")
_ENDINGS: dict[str, Format] = {".ndjson": "ndjson", ".jsonl": "ndjson", ".csv": "csv"}

MAX_FILE_BYTES = 200 * 1024 * 1024
MAX_LINE_BYTES = 4 * 1024 * 1024
csv.field_size_limit(MAX_LINE_BYTES)
MAX_ROWS = 1_000_000
"""What is kept of every row to tell repeated keys apart stays within some hundred megabytes."""

DEFAULT_KEY_COLUMN = "row_key"
_MAX_KEY_LENGTH = 255
_DIGEST_BYTES = 16

_BYTE_ORDER_MARK = "\ufeff"
_OTHER_ENCODINGS = (b"\xff\xfe", b"\xfe\xff")
_BROKEN_JSON = re.compile(r'\s*(\{\s*"|\[\s*["{])')
"""How JSON begins, and neither ``[US] Shoes`` nor ``{{product.name}}`` does."""


class BadFile(ValueError):
    """A file that is not what it should be; the message says where and why, a line a finding."""


@dataclass(frozen=True)
class Row:
    """One ad: ``line`` is where it begins in the file, counted from 1; ``size`` is in bytes.

    ``key`` is what the caller calls it, already taken out of ``spec``.
    """

    line: int
    spec: dict[str, Any]
    key: str | None
    size: int


@dataclass(frozen=True)
class BadRow:
    """A line that is no ad, and why: a half sentence about the line."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"Line {self.line} {self.reason}."


class _Unusable(ValueError):
    """A row cannot be used; the message is a half sentence about its line."""


def format_of(name: str) -> Format | None:
    """Return the format that a file's ending names, None for an unknown one."""
    return next((kind for ending, kind in _ENDINGS.items() if name.lower().endswith(ending)), None)


def read_rows(
    stream: IO[bytes],
    *,
    file_format: Format,
    key_column: str | None = None,
    seen: Callable[[bytes], object] = len,
) -> Iterator[Row | BadRow]:
    """Read the ads of a stream in their order, lines without content left out.

    ``key_column`` names the field with the caller's own key of a row, which every row then has to
    have. Without it, the field ``row_key`` is that if the first row has one. ``seen`` is called
    with every line's bytes as it is read. Raises BadFile where reading cannot go on.
    """
    lines = _read_lines(stream, seen=seen)
    if file_format == "csv":
        return _read_csv(lines, key_column=key_column)
    rows = _read_ndjson(lines, key_column=key_column or DEFAULT_KEY_COLUMN)
    return _check_keys(rows, is_required=True if key_column else None)


def refuse_repeats(rows: Iterable[Row | BadRow]) -> Iterator[Row | BadRow]:
    """Pass rows on, but those whose key an earlier one has."""
    lines: dict[bytes, int] = {}
    for row in rows:
        if isinstance(row, BadRow) or row.key is None:
            yield row
            continue
        digest = hashlib.blake2b(row.key.encode("utf-8", "replace"), digest_size=_DIGEST_BYTES)
        earlier = lines.setdefault(digest.digest(), row.line)
        if earlier == row.line:
            yield row
        else:
            yield BadRow(row.line, f"has the key {_shown(row.key)}, as line {earlier} has")


def _read_lines(
    stream: IO[bytes], *, seen: Callable[[bytes], object]
) -> Iterator[tuple[int, bytes]]:
    """Read the lines with their numbers. Raises BadFile for what is too large or not UTF-8."""
    number = size = 0
    while line := stream.readline(MAX_LINE_BYTES + 1):
        number += 1
        size += len(line)
        if number == 1 and line.startswith(_OTHER_ENCODINGS):
            raise BadFile("The file is UTF-16: save it as UTF-8.")
        if len(line) > MAX_LINE_BYTES:
            raise BadFile(f"Line {number} is longer than {MAX_LINE_BYTES} bytes.")
        if size > MAX_FILE_BYTES:
            raise BadFile(f"The file is larger than {MAX_FILE_BYTES} bytes: divide it.")
        seen(line)
        yield number, line


def _decoded(number: int, line: bytes) -> str:
    """Return a line's text, the first one's without a byte order mark. Raises _Unusable."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _Unusable(f"is not UTF-8 at byte {error.start + 1}") from None
    return text.removeprefix(_BYTE_ORDER_MARK) if number == 1 else text


def _read_ndjson(lines: Iterable[tuple[int, bytes]], *, key_column: str) -> Iterator[Row | BadRow]:
    for number, line in lines:
        try:
            text = _decoded(number, line).strip()
            if text:
                spec = _json_object(text)
                key = _take_key(spec, key_column)
                yield Row(number, spec, key=key, size=len(line))
        except _Unusable as error:
            yield BadRow(number, str(error))


def _json_object(text: str) -> dict[str, Any]:
    try:
        value = loads_strict(text)
    except json.JSONDecodeError as error:
        raise _Unusable(f"is not JSON: {error.msg} at character {error.colno}") from None
    except ValueError as error:
        raise _Unusable(f"is not JSON: {str(error).rstrip('.')}") from None
    if not isinstance(value, dict):
        raise _Unusable("is no JSON object: each ad stands on a line of its own as {…}")
    return value


def _take_key(spec: dict[str, Any], key_column: str) -> str | None:
    """Take the caller's key out of a spec; None where it has none."""
    if key_column not in spec:
        return None
    value = spec.pop(key_column)
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise _Unusable(f"has a {key_column} that is neither a text nor a whole number")
    return _checked_key(str(value), key_column)


def _checked_key(key: str, key_column: str) -> str:
    if not key:
        raise _Unusable(f"has an empty {key_column}")
    if not is_storable(key):
        raise _Unusable(f"has a {key_column} with U+0000 or half of a surrogate pair in it")
    if len(key) > _MAX_KEY_LENGTH:
        raise _Unusable(f"has a {key_column} with more than {_MAX_KEY_LENGTH} characters")
    return key


def _check_keys(
    rows: Iterable[Row | BadRow], *, is_required: bool | None
) -> Iterator[Row | BadRow]:
    """Pass rows on that have a key, or have none, as the first row does unless it is said."""
    for row in rows:
        if isinstance(row, BadRow):
            yield row
            continue
        is_required = row.key is not None if is_required is None else is_required
        if is_required == (row.key is not None):
            yield row
        else:
            yield BadRow(row.line, "has no key" if is_required else "has a key, and others do not")


@dataclass(frozen=True)
class _Column:
    """A column of a CSV file: the names on the way to its value, or the caller's key."""

    path: tuple[str, ...]
    is_key: bool


def _read_csv(
    lines: Iterable[tuple[int, bytes]], *, key_column: str | None
) -> Iterator[Row | BadRow]:
    reader = csv.reader(_texts(lines), strict=True)
    columns: list[_Column] | None = None
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise BadFile(f"The row that begins at line {line} is no CSV: {error}.") from None
        if not any(cells):
            continue
        if columns is None:
            columns = _read_header(cells, key_column=key_column)
        else:
            yield _csv_row(cells, columns, line=line)


def _texts(lines: Iterable[tuple[int, bytes]]) -> Iterator[str]:
    """Decode the lines of a CSV file: a row may take several, so none of them can be left out."""
    for number, line in lines:
        try:
            yield _decoded(number, line)
        except _Unusable as error:
            raise BadFile(f"Line {number} {error}: save the file as CSV in UTF-8.") from None


def _read_header(cells: list[str], *, key_column: str | None) -> list[_Column]:
    names = [cell.strip() for cell in cells]
    if len(names) == 1 and ";" in names[0]:
        raise BadFile("The header has no comma: separate the columns by commas, not by semicolons.")
    wanted = key_column or DEFAULT_KEY_COLUMN
    if key_column is not None and key_column not in names:
        raise BadFile(f"The header names no column {key_column}.")
    for index, name in enumerate(names):
        if not all(name.split(".")):
            raise BadFile(f"Column {index + 1} of the header has no usable name.")
        if name in names[:index]:
            raise BadFile(f"The header names the column {_shown(name)} twice.")
    return [_Column(tuple(name.split(".")), is_key=name == wanted) for name in names]


def _csv_row(cells: list[str], columns: list[_Column], *, line: int) -> Row | BadRow:
    try:
        return _row_of_cells(cells, columns, line=line)
    except _Unusable as error:
        return BadRow(line, str(error))


def _row_of_cells(cells: list[str], columns: list[_Column], *, line: int) -> Row:
    if len(cells) != len(columns):
        raise _Unusable(f"has {len(cells)} cells, and the header has {len(columns)}")
    spec: dict[str, Any] = {}
    key = None
    for column, cell in zip(columns, cells, strict=True):
        if column.is_key:
            key = _checked_key(cell, ".".join(column.path))
        elif cell.strip():
            _put(spec, column.path, _cell_value(cell, name=".".join(column.path)))
    return Row(line, spec, key=key, size=sum(map(len, cells)))


def _cell_value(cell: str, *, name: str) -> Any:
    """Return a cell's JSON object or list, or its text: numbers are texts to Facebook too."""
    if not cell.lstrip().startswith(("{", "[")):
        return cell
    try:
        return loads_strict(cell)
    except ValueError:
        if _BROKEN_JSON.match(cell):
            raise _Unusable(f"holds JSON in {name} that cannot be read") from None
        return cell


def _put(spec: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    """Put a value where a dotted name says. Raises _Unusable where another value stands there."""
    target: Any = spec
    for name in path[:-1]:
        target = target.setdefault(name, {})
        if not isinstance(target, dict):
            raise _Unusable(f"has a value in {name} and another one in {'.'.join(path)}")
    if path[-1] in target:
        raise _Unusable(f"has more than one value for {'.'.join(path)}")
    target[path[-1]] = value


def _shown(text: str) -> str:
    """Show a text out of a file: on one line, and not all of a long one."""
    longest = 60
    return repr(text if len(text) <= longest else f"{text[:longest]}…")
