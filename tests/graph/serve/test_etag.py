from __future__ import annotations

import re

import pytest

from receiver.graph.serve import etag, is_unchanged

TAG = etag(b'{"data": []}')


def test_a_tag_is_forty_hexadecimal_digits_in_quotes() -> None:
    assert re.fullmatch(r'"[0-9a-f]{40}"', TAG)


def test_the_formatting_is_part_of_what_is_tagged() -> None:
    assert etag(b'{"data": [\n]}') != TAG


@pytest.mark.parametrize("header", [TAG, f"W/{TAG}", "*", f'"other", {TAG}', f" {TAG} "])
def test_a_held_answer_is_unchanged(header: str) -> None:
    assert is_unchanged(TAG, if_none_match=header)


@pytest.mark.parametrize("header", ["", '"other"', TAG.strip('"'), '"', ","])
def test_any_other_is_not(header: str) -> None:
    assert not is_unchanged(TAG, if_none_match=header)
