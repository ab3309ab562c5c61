from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.cli.set.splitting import Split, Wanted, intents_of, prefix_of, split_file
from receiver.cli.spec_files import BadFile
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


def test_the_keys_follow_from_content_account_and_size() -> None:
    checked = split(lines(4))
    prefixes = {
        prefix_of(checked, WANTED),
        prefix_of(checked, replace(WANTED, account_id=2)),
        prefix_of(checked, replace(WANTED, size=3)),
        prefix_of(split(lines(5)), WANTED),
    }
    assert len(prefixes) == 4
    assert prefix_of(split(lines(4)), WANTED) == prefix_of(checked, replace(WANTED, name="other"))


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
    data = b'name,a\n"x","y"\n'
    wanted = replace(WANTED, file_format="csv", body_limit_bytes=10)
    with pytest.raises(BadFile, match="The set that holds line 2 is larger than 10 bytes"):
        split(data, wanted)
