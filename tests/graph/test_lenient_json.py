from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.graph.lenient_json import loads_lenient, loads_strict
from tests.support.json_strategies import json_values

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))
WORDS = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.]*", fullmatch=True).filter(
    lambda word: word not in ("true", "false", "null", "NaN", "Infinity")
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | ANY_TEXT
    | WORDS
)
JSON = json_values(SCALARS, keys=ANY_TEXT | WORDS, max_size=4)
CONTAINERS = JSON.filter(lambda value: isinstance(value, (list, dict)))
MARKS = st.sampled_from("{}[]:,'\"\\ \n\u00a0\x00\ud800-a1")
WORDS_OF_JSON = st.sampled_from(
    ["'a'", '"b"', "a:1", "[1,]", "true", "null", "NaN", "1e400", "//", "\\u00"]
)
HOSTILE = st.lists(MARKS | WORDS_OF_JSON, max_size=15).map("".join)


def pasted(value: Any, *, draw: st.DataObject) -> str:
    """Write a value as people may have it: each part in one of the ways that are read."""
    if isinstance(value, str):
        return pasted_text(value, draw=draw)
    if isinstance(value, list):
        return f"[{joined([pasted(item, draw=draw) for item in value], draw=draw)}]"
    if isinstance(value, dict):
        members = [
            f"{pasted_text(key, draw=draw)}{space(draw)}:{space(draw)}{pasted(item, draw=draw)}"
            for key, item in value.items()
        ]
        return f"{{{joined(members, draw=draw)}}}"
    return json.dumps(value)


def pasted_text(text: str, *, draw: st.DataObject) -> str:
    strict = json.dumps(text)
    single = "'" + strict[1:-1].replace('\\"', '"').replace("'", "\\'") + "'"
    is_word = text.isidentifier() and text not in ("true", "false", "null", "NaN", "Infinity")
    return draw.draw(st.sampled_from([strict, single, *([text] if is_word else [])]))


def joined(parts: list[str], *, draw: st.DataObject) -> str:
    return f"{space(draw)},".join(parts) + draw.draw(
        st.sampled_from(["", " , "][: 1 + bool(parts)])
    )


def space(draw: st.DataObject) -> str:
    return draw.draw(st.sampled_from(["", " ", "\n\t"]))


@given(JSON)
def test_json_reads_as_always(value: Any) -> None:
    assert loads_lenient(json.dumps(value)) == value
    assert loads_strict(json.dumps(value).encode()) == value


@given(CONTAINERS, st.data())
def test_a_value_survives_every_way_of_writing_it(value: Any, data: st.DataObject) -> None:
    assert loads_lenient(pasted(value, draw=data)) == value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "[{field:ad.id,operator:IN,value:[6003356308839,6004164369439]}]",
            [{"field": "ad.id", "operator": "IN", "value": [6003356308839, 6004164369439]}],
        ),
        ("{geo_locations: {countries:[US]}}", {"geo_locations": {"countries": ["US"]}}),
        (
            "{'geo_locations': {'countries':['US']}}",
            {"geo_locations": {"countries": ["US"]}},
        ),
        (
            "[{field:'adset.id',operator:'IN',value:[6003356307839, 6004164259439]}]",
            [{"field": "adset.id", "operator": "IN", "value": [6003356307839, 6004164259439]}],
        ),
        (
            "[ { 'name': 'a', 'body': 'name%3DTest+Campaign%26id%3D1', }, { 'name': 'b', }, ]",
            [{"name": "a", "body": "name%3DTest+Campaign%26id%3D1"}, {"name": "b"}],
        ),
        ("{since:2024-01-01,until:2024-01-31}", {"since": "2024-01-01", "until": "2024-01-31"}),
        ("[1,-2.5e3,true,false,null,True,007]", [1, -2500.0, True, False, None, "True", "007"]),
        ("{1:1,true:2,null:3,NaN:4}", {"1": 1, "true": 2, "null": 3, "NaN": 4}),
        ("""{'a"b': 'it\\'s', "it's": 'a\\"b'}""", {'a"b': "it's", "it's": 'a"b'}),
        ("['\\u0061\\n\\\\']", ["a\n\\"]),
        ("['',]", [""]),
        (" {a\u00a0:\u00a0b} ", {"a": "b"}),
        ("{a:1,a:2}", {"a": 2}),
    ],
)
def test_what_people_paste_is_read(text: str, expected: Any) -> None:
    assert loads_lenient(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "word",
        "'quoted'",
        "1,",
        "<html>",
        "[",
        "]",
        "{",
        "[,]",
        "{,}",
        "[1,,]",
        "[1,,2]",
        "[,1]",
        "{a}",
        "{a:}",
        "{a:,}",
        "{:1}",
        "{a:b:c}",
        "[a b]",
        "['a' 'b']",
        "['a]",
        "[it's]",
        "{link:https://example.com}",
        "{[1]:2}",
        "[1]]",
        "[a]/*comment*/",
        "['\\x']",
        "['\n']",
        '[{\\"a\\":1}]',
    ],
)
def test_anything_else_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        loads_lenient(text)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1" * 9999])
def test_a_number_that_json_cannot_hold_is_refused(number: str) -> None:
    for text in (number, f"[{number}]", f"{{a:{number},}}"):
        with pytest.raises(ValueError, match=r".+"):
            loads_lenient(text)
        with pytest.raises(ValueError, match=r".+"):
            loads_strict(text)


@pytest.mark.parametrize("text", ["[" * 99_999, "{a:" * 99_999, "['a'," * 50_000])
def test_what_is_nested_too_deeply_is_a_value_error(text: str) -> None:
    for loads in (loads_strict, loads_lenient):
        with pytest.raises(ValueError, match=r".+"):
            loads(text)


@pytest.mark.parametrize("body", [b"\xff", b"", b"{'a':1}", b"[1,]", b"[" * 99_999])
def test_the_strict_reader_refuses_the_rest(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        loads_strict(body)


@given(HOSTILE | ANY_TEXT | ANY_TEXT.map(lambda text: f"[{text}]"))
def test_any_text_is_json_or_a_value_error(text: str) -> None:
    try:
        value = loads_lenient(text)
    except ValueError:
        return
    assert loads_strict(json.dumps(value)) == value


@pytest.mark.parametrize(
    "text",
    [
        "[" + "'" * 400_001,
        "['" + "a" * 400_000,
        "['" + "\\" * 400_001,
        "[a" + " " * 400_000,
        "[a," + " " * 400_000,
        "[" + ", " * 200_000,
        "[" + "a " * 200_000,
        "[" + "a:" * 200_000,
        "['a'" + ",'a'" * 100_000,
    ],
    ids=lambda text: f"{text[:6]!r}...",
)
def test_a_hostile_text_is_refused_in_linear_time(text: str) -> None:
    start = time.process_time()
    with pytest.raises(ValueError, match=r".+"):
        loads_lenient(text)
    assert time.process_time() - start < 2
