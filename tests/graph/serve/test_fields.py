from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.graph.serve import (
    BadParameter,
    Field,
    parse_expansion,
    select_fields,
    write_fields,
)


def names(value: object) -> list[str]:
    return [field.name for field in parse_expansion(value)]


def test_fields_come_as_words_each_once_in_a_text_a_list_or_json() -> None:
    for value in ("status, id,status", ["status", "id"], '["status","id"]', "['status', 'id']"):
        assert names(value) == ["status", "id"]


def test_the_id_comes_along_and_what_is_absent_does_not() -> None:
    record = {"id": "1", "status": "SUCCESS", "result": None, "zero": 0}
    assert select_fields(record, ("status", "result", "zero")) == {
        "status": "SUCCESS",
        "zero": 0,
        "id": "1",
    }


@pytest.mark.parametrize("fields", ["id,name,", ",id,,name", ["id", "", "name"]])
def test_an_empty_word_among_the_fields_is_passed_over(fields: object) -> None:
    assert names(fields) == ["id", "name"]


@pytest.mark.parametrize("fields", [",", " , ", [], "", None])
def test_fields_without_a_word_are_none(fields: object) -> None:
    assert names(fields) == []


def test_fields_expand_into_edges_and_nodes() -> None:
    fields = parse_expansion(
        "id, requests.limit(50).status(SUCCESS,ERROR){id,status},creative{name}"
    )
    assert fields == (
        Field("id"),
        Field(
            "requests",
            {"limit": "50", "status": "SUCCESS,ERROR"},
            (Field("id"), Field("status")),
        ),
        Field("creative", {}, (Field("name"),)),
    )


def test_expansion_nests() -> None:
    (campaign,) = parse_expansion("adsets{ads{creative{id}}}")
    assert campaign == Field(
        "adsets", {}, (Field("ads", {}, (Field("creative", {}, (Field("id"),)),)),)
    )


@pytest.mark.parametrize(
    "text",
    ["requests{", "requests}", "{id}", "a b", "a{b}c", ".limit(5)", "id;name", "a.limit(", "a{b}}"],
)
def test_what_is_no_list_of_fields_is_a_syntax_error(text: str) -> None:
    with pytest.raises(BadParameter, match="Syntax error") as raised:
        parse_expansion(text)
    assert raised.value.name == "fields"


@pytest.mark.parametrize("text", ["a{" * 99 + "}" * 99, "a," * 9999])
def test_fields_have_a_limit_in_depth_and_length(text: str) -> None:
    with pytest.raises(BadParameter):
        parse_expansion(text)


NAMES = st.from_regex(r"[a-z_]{1,8}", fullmatch=True)
FIELDS = st.recursive(
    st.builds(Field, NAMES, st.dictionaries(NAMES, NAMES, max_size=2)),
    lambda inner: st.builds(
        Field,
        NAMES,
        st.just({}),
        st.lists(inner, min_size=1, max_size=3, unique_by=lambda field: field.name).map(tuple),
    ),
    max_leaves=8,
)


@given(st.lists(FIELDS, max_size=4, unique_by=lambda field: field.name))
def test_fields_are_written_as_they_are_read(fields: list[Field]) -> None:
    assert parse_expansion(write_fields(fields)) == tuple(fields)


@given(st.text(alphabet="ab{}(),. 1_", max_size=30))
def test_a_strange_list_of_fields_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(BadParameter):
        fields = parse_expansion(text)
        assert parse_expansion(write_fields(fields)) == fields
