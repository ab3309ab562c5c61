"""Divide a file of ads into request sets: checked whole before the first of them is sent.

The file is read twice. The first reading keeps of each set where it lies and what it hashes to; the
second makes the sets, one at a time, and stops where the file is no longer what was checked.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import IO, Any

from receiver.cli.spec_files import (
    DEFAULT_KEY_COLUMN,
    MAX_ROWS,
    BadFile,
    BadRow,
    Format,
    Row,
    read_rows,
    refuse_repeats,
)
from receiver.graph.json_values import json_bytes, stable_json_bytes
from receiver.graph.serve import BadParameter
from receiver.graph.vocabulary import MODE_OFF, MODE_ON_COMPLETE
from receiver.store.intents import NewIntent
from receiver.web.gateway.own.new_intent import Creation, intent_of, read_creation

_MOST_FINDINGS = 10
"""How many lines that are wrong are told at once."""

_SPEC_INDEX = re.compile(r"ad_specs\[([0-9]+)\]")
_PREFIX_DIGITS = 40


@dataclass(frozen=True)
class Wanted:
    """What the sets of a file are to be; ``size`` is how many ads each of them has at most."""

    account_id: int
    api_key_id: int | None
    name: str
    size: int
    file_format: Format
    key_column: str | None
    notification_uri: str | None
    body_limit_bytes: int


@dataclass(frozen=True)
class Part:
    """One set of a file: its number, and its first and last row, all counted from 1."""

    number: int
    first_row: int
    last_row: int
    digest: bytes

    @property
    def ads(self) -> int:
        return self.last_row - self.first_row + 1


@dataclass(frozen=True)
class Split:
    """A file that was checked: its sets, and a digest of what its rows say."""

    parts: tuple[Part, ...]
    digest: str

    @property
    def ads(self) -> int:
        return self.parts[-1].last_row


def split_file(
    stream: IO[bytes], wanted: Wanted, *, on_rows: Callable[[int], object] = int
) -> Split:
    """Read a stream to its end and say which sets it makes; ``on_rows`` is told how far it is.

    Raises BadFile, whose message names up to ten lines that are wrong, and BadParameter for a
    name or a notification URI that cannot be used.
    """
    _check_options(wanted)
    digest, findings, parts = hashlib.sha256(), list[BadRow](), list[Part]()
    rows = read_rows(stream, file_format=wanted.file_format, key_column=wanted.key_column)
    count = 0
    for group in _groups(_good(refuse_repeats(rows), findings), wanted):
        _check_group(group, wanted, findings)
        parts.append(_part(group, number=len(parts) + 1, first_row=count + 1))
        for row in group:
            digest.update(_said_by(row, wanted))
        count += len(group)
        _refuse_too_many(count)
        on_rows(count)
    if findings:
        raise _bad(findings)
    if not parts:
        raise BadFile("The file holds no ads.")
    return Split(tuple(parts), digest=digest.hexdigest())


def _check_options(wanted: Wanted) -> None:
    """Raise BadParameter for what no set could be made with, whatever stands in the file."""
    _creation([Row(1, {}, key=None, size=0)], wanted, name=wanted.name)


def _good(rows: Iterable[Row | BadRow], findings: list[BadRow]) -> Iterator[Row]:
    """Pass on what can be used, and keep the rest as findings. Raises BadFile for many of them."""
    for row in rows:
        if isinstance(row, Row):
            yield row
        else:
            _keep(row, findings)


def _keep(finding: BadRow, findings: list[BadRow]) -> None:
    findings.append(finding)
    if len(findings) >= _MOST_FINDINGS:
        raise _bad(findings)


def _bad(findings: list[BadRow]) -> BadFile:
    in_order = sorted(findings, key=lambda finding: finding.line)
    return BadFile("\n".join(map(str, in_order)))


def _groups(rows: Iterator[Row], wanted: Wanted) -> Iterator[list[Row]]:
    """Gather the rows of each set. Raises BadFile for a set that nobody would take."""
    while group := list(_within_limit(islice(rows, wanted.size), wanted)):
        yield group


def _within_limit(rows: Iterable[Row], wanted: Wanted) -> Iterator[Row]:
    size = 0
    for row in rows:
        size += row.size
        if size > wanted.body_limit_bytes:
            raise _too_large(row.line, wanted, is_alone=row.size > wanted.body_limit_bytes)
        yield row


def _too_large(line: int, wanted: Wanted, *, is_alone: bool) -> BadFile:
    larger = f"larger than {wanted.body_limit_bytes} bytes (RECEIVER_REQUEST_BODY_LIMIT_BYTES)"
    if is_alone:
        return BadFile(f"The ad of line {line} is by itself {larger}: no set can hold it.")
    return BadFile(
        f"The set that holds line {line} is {larger}: choose a --size smaller than {wanted.size}."
    )


def _refuse_too_many(count: int) -> None:
    if count > MAX_ROWS:
        raise BadFile(f"The file holds more than {MAX_ROWS} ads: divide it.")


def _check_group(group: list[Row], wanted: Wanted, findings: list[BadRow]) -> None:
    """Check a set as the gateway checks a create; what is wrong with a row is a finding."""
    try:
        creation = _creation(group, wanted, name=wanted.name)
    except BadParameter as error:
        match = _SPEC_INDEX.fullmatch(error.name)
        if match is None:
            raise
        reason = error.message.removeprefix(f"Param {error.name} ").rstrip(".")
        _keep(BadRow(group[int(match[1])].line, reason), findings)
    else:
        if len(creation.ad_specs) > wanted.body_limit_bytes:
            raise _too_large(group[0].line, wanted, is_alone=len(group) == 1)


def _part(group: list[Row], *, number: int, first_row: int) -> Part:
    return Part(number, first_row, first_row + len(group) - 1, digest=_digest(group))


def _digest(group: list[Row]) -> bytes:
    return hashlib.sha256(stable_json_bytes([[row.spec, row.key] for row in group])).digest()


def _creation(
    group: list[Row], wanted: Wanted, *, name: str, idempotency_key: str | None = None
) -> Creation:
    return read_creation(
        {
            "name": name,
            "ad_specs": [row.spec for row in group],
            "notification_uri": wanted.notification_uri,
            "notification_mode": MODE_ON_COMPLETE if wanted.notification_uri else MODE_OFF,
            "idempotency_key": idempotency_key,
        }
    )


def _said_by(row: Row, wanted: Wanted) -> bytes:
    """Return what a row says: alike however the file is saved, and whichever column is the key.

    A number is its text, as to Facebook, and so is a key that is taken for a field.
    """
    said = {name: str(value) if type(value) is int else value for name, value in row.spec.items()}
    if row.key is not None:
        name = wanted.key_column or DEFAULT_KEY_COLUMN
        said = _with_key(said, name.split(".") if wanted.file_format == "csv" else [name], row.key)
    # Line ends inside a cell change with those of the file.
    return json.dumps(said, sort_keys=True).encode().replace(rb"\r\n", rb"\n") + b"\n"


def _with_key(said: dict[str, Any], path: list[str], key: str) -> dict[str, Any]:
    name, *rest = path
    below = said.get(name)
    inner = below if isinstance(below, dict) else {}
    return {**said, name: _with_key(inner, rest, key) if rest else key}


def prefix_of(split: Split, wanted: Wanted) -> str:
    """Return the beginning of the sets' idempotency keys: alike for the same rows of an account.

    The size is no part of it: sets of another size would double the ads of those that were made.
    """
    asked = f"{split.digest}:{wanted.account_id}"
    return f"file-{hashlib.sha256(asked.encode()).hexdigest()[:_PREFIX_DIGITS]}"


def intents_of(
    stream: IO[bytes], wanted: Wanted, split: Split, *, prefix: str
) -> Iterator[tuple[Part, NewIntent]]:
    """Read a stream that was checked once more, and make its sets one after the other.

    Raises BadFile where it is not what was checked.
    """
    rows = read_rows(stream, file_format=wanted.file_format, key_column=wanted.key_column)
    groups = _groups(_unchanged(rows), wanted)
    for part in split.parts:
        group = next(groups, [])
        if not group or _digest(group) != part.digest:
            raise _changed()
        yield part, _intent(group, wanted, part, parts=len(split.parts), prefix=prefix)


def _unchanged(rows: Iterable[Row | BadRow]) -> Iterator[Row]:
    for row in rows:
        if isinstance(row, BadRow):
            raise _changed()
        yield row


def _changed() -> BadFile:
    return BadFile("The file was changed while it was read: the rest of it was not sent.")


def _intent(group: list[Row], wanted: Wanted, part: Part, *, parts: int, prefix: str) -> NewIntent:
    creation = _creation(
        group,
        wanted,
        name=f"{wanted.name} {part.number}/{parts}",
        idempotency_key=f"{prefix}-{part.number}",
    )
    keys = [row.key for row in group]
    return intent_of(
        creation,
        account_id=wanted.account_id,
        api_key_id=wanted.api_key_id,
        row_keys=None if None in keys else json_bytes(keys),
    )
