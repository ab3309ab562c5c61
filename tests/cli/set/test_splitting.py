from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.cli.set.splitting import Split, Wanted, intents_of, prefix_of, split_file
from receiver.cli.spec_files import BadFile, Format
from receiver.store.intents import NewIntent

WANTED = Wanted(
    account_id=1,
    api_key_id=None,
    name="ads",
    size=2,
    file_format="ndjson",
    key_column=None,
    notification_uri=None,
    body_limit_bytes=10**6,
)


def lines(count: int) -> bytes:
    return b"".join(json.dumps({"name": f"ad {n}"}).encode() + b"\n" for n in range(count))


def split(data: bytes, wanted: Wanted = WANTED) -> Split:
    return split_file(io.BytesIO(data), wanted)


def intents(data: bytes, checked: Split, wanted: Wanted = WANTED) -> list[NewIntent]:
    asked = intents_of(io.BytesIO(data), wanted, checked, prefix="p")
    return [intent for _, intent in asked]


@given(st.integers(1, 40), st.integers(1, 12))
def test_every_ad_is_in_one_set_and_in_its_order(count: int, size: int) -> None:
    wanted = replace(WANTED, size=size)
    checked = split(lines(count), wanted)
    made = intents(lines(count), checked, wanted)
    assert checked.ads == count
    assert [intent.spec_count for intent in made] == [part.ads for part in checked.parts]
    assert all(part.ads <= size for part in checked.parts)
    names = [spec["name"] for intent in made for spec in json.loads(intent.ad_specs)]
    assert names == [f"ad {number}" for number in range(count)]
    assert [intent.idempotency_key for intent in made] == [
        f"p-{number}" for number in range(1, len(made) + 1)
    ]


@pytest.mark.parametrize(
    "changed", [b"", lines(3), lines(4).replace(b"ad 3", b"ad x"), lines(2) + b"{nonsense\n"]
)
def test_a_file_that_changes_while_it_is_sent_ends_the_sending(changed: bytes) -> None:
    checked = split(lines(4))
    with pytest.raises(BadFile, match="was changed while"):
        intents(changed, checked)


def test_what_is_added_behind_is_not_sent() -> None:
    assert [one.name for one in intents(lines(6), split(lines(4)))] == ["ads 1/2", "ads 2/2"]


def prefix(data: bytes, **wanted: Any) -> str:
    asked = replace(WANTED, **wanted)
    return prefix_of(split(data, asked), asked)


def test_the_keys_follow_from_the_rows_and_the_account() -> None:
    rows = [lines(4), lines(5), lines(4).replace(b"ad 3", b"ad x")]
    prefixes = {prefix(data, account_id=account) for data in rows for account in (1, 2)}
    assert len(prefixes) == 6
    assert prefix(lines(4)) == prefix(lines(4), name="other")


def test_the_keys_do_not_follow_from_the_size() -> None:
    assert prefix(lines(4)) == prefix(lines(4), size=3)


@pytest.mark.parametrize(
    "saved",
    [
        b'{"name":"a","n":1}\r\n{"name":"b","n":2}\r\n',
        b'\xef\xbb\xbf{"name":"a","n":1}\n{"name":"b","n":2}\n',
        b'{"name":"a","n":1}\n\n{"name":"b","n":2}',
        b'{"n": "1", "name": "\\u0061"}\n{"name": "b", "n": 2}\n',
    ],
)
def test_the_keys_do_not_follow_from_how_the_file_is_saved(saved: bytes) -> None:
    assert prefix(saved) == prefix(b'{"name":"a","n":1}\n{"name":"b","n":2}\n')


def test_the_keys_do_not_follow_from_the_line_ends_of_a_csv_file() -> None:
    csv = b'name,body\na,"one\ntwo"\n'
    assert prefix(csv, file_format="csv") == prefix(csv.replace(b"\n", b"\r\n"), file_format="csv")


@pytest.mark.parametrize(
    ("file_format", "data", "key_column"),
    [
        ("ndjson", b'{"row_key": 1, "name": "a", "n": 7}\n', "n"),
        ("csv", b"row_key,name,creative.id,creative.n\nk,a,7,8\n", "creative.id"),
    ],
)
def test_the_keys_do_not_follow_from_which_column_is_the_rows_own_key(
    file_format: str, data: bytes, key_column: str
) -> None:
    assert prefix(data, file_format=file_format) == prefix(
        data, file_format=file_format, key_column=key_column
    )


def test_keys_are_kept_only_where_there_are_some() -> None:
    keyed = b'{"row_key": 1}\n{"row_key": "\xc3\xa4"}\n'
    (intent,) = intents(keyed, split(keyed))
    assert json.loads(intent.row_keys or b"") == ["1", "ä"]
    assert intents(lines(1), split(lines(1)))[0].row_keys is None


def test_a_file_with_too_many_ads_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("receiver.cli.set.splitting.MAX_ROWS", 3)
    with pytest.raises(BadFile, match="more than 3 ads"):
        split(lines(4))


def test_what_is_larger_as_json_than_in_its_file_is_refused_too() -> None:
    data = b'name,a\n"x","y"\n"x","y"\n'
    wanted = replace(WANTED, file_format="csv", body_limit_bytes=40)
    with pytest.raises(BadFile, match="The set that holds line 2 is larger than 40 bytes"):
        split(data, wanted)


@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize(
    ("file_format", "data"),
    [
        ("ndjson", b'{"n": 1}\n{"name": "a name that is too long"}\n'),
        ("csv", b'name,a\n"x","y"\n'),
    ],
)
def test_an_ad_that_is_too_large_for_any_set_is_told_so(
    file_format: Format, data: bytes, size: int
) -> None:
    wanted = replace(WANTED, file_format=file_format, size=size, body_limit_bytes=20)
    with pytest.raises(BadFile, match="The ad of line 2 is by itself larger than 20 bytes"):
        split(data, wanted)
