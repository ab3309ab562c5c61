from __future__ import annotations

import contextlib
import json
import time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from receiver.graph.references import (
    Reference,
    UnresolvedReference,
    find_references,
    substitute,
)
from tests.support.json_strategies import json_values

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))
MARKS = st.sampled_from("$.*[]'\"\\?():,@~#^|&/ \n\ud800\u00e9a0")
PIECES = st.sampled_from(
    ["b-c", "-1", "1e9", "==", "..", "[0]", "[*]", "['a']", '["b-c"]', '[\\"a\\"]', "['\\u0061']"]
)
HOSTILE_PATH = st.lists(MARKS | PIECES, max_size=12).map(lambda parts: "$" + "".join(parts))


def resolve(path: str, result: Any) -> str:
    return substitute(f"{{result=a:{path}}}", results={"a": result})


def test_the_pages_references_are_found() -> None:
    text = '{"image_hash": "{result=create_adimage:$.images.*.hash}", "id":"{result=a:$.id}"}'
    assert find_references(text) == (
        Reference("create_adimage", "$.images.*.hash"),
        Reference("a", "$.id"),
    )


def test_a_reference_is_found_wherever_it_stands_and_as_often() -> None:
    assert find_references("ids={result=a b.c-d_1:$.id},{result=a b.c-d_1:$.id}x") == (
        Reference("a b.c-d_1", "$.id"),
        Reference("a b.c-d_1", "$.id"),
    )


@pytest.mark.parametrize(
    "text", ["", "{result=a}", "{result=:$.id}", "{result=a:$.id", "{result=a/b:$}", "{Result=a:$}"]
)
def test_what_only_resembles_a_reference_stays_as_it_is(text: str) -> None:
    assert find_references(text) == ()
    assert substitute(text, results={}) == text


def test_the_pages_batch_is_put_together() -> None:
    creative = (
        'name=sample creative&object_story_spec={"link_data": {"image_hash": '
        '"{result=create_adimage:$.images.*.hash}"}}'
    )
    results = {"create_adimage": {"images": {"test1.jpg": {"hash": "a1b2"}}}}
    assert substitute(creative, results=results) == (
        'name=sample creative&object_story_spec={"link_data": {"image_hash": "a1b2"}}'
    )
    assert substitute(
        "{result=create-campaign:$.id}", results={"create-campaign": {"id": "7"}}
    ) == ("7")


@pytest.mark.parametrize(
    ("path", "result", "expected"),
    [
        ("$", {"id": "1"}, '{"id":"1"}'),
        ("$", "success", "success"),
        ("$", "[not json", "[not json"),
        ("$", "17", "17"),
        ("$", True, "true"),
        ("$.id", {"id": "1"}, "1"),
        ("$.id", {"id": ""}, ""),
        ("$.data[1].id", {"data": [{"id": "1"}, {"id": "2"}]}, "2"),
        ("$.data[-1].id", {"data": [{"id": "1"}, {"id": "2"}]}, "2"),
        ("$.data[*].id", {"data": [{"id": "1"}, {"id": "2"}]}, "1,2"),
        ("$.data.*.id", {"data": [{"id": "1"}, {"name": "none"}, {"id": "3"}]}, "1,3"),
        ("$[0]", ["x"], "x"),
        ("$[*]", ["x", None, 2, 2.5, False, [1, 2], {"a": None}], 'x,2,2.5,false,[1,2],{"a":null}'),
        ("$['a']", {"a": 1}, "1"),
        ('$["a.b"]', {"a.b": 1}, "1"),
        ("$['a\\'b']", {"a'b": 1}, "1"),
        ("$['\\u0061']", {"a": 1}, "1"),
        ("$['with space']['test1.jpg']", {"with space": {"test1.jpg": 1}}, "1"),
        ("$.create-campaign.id", {"create-campaign": {"id": 5}}, "5"),
        ("$.6003356308839.id", {"6003356308839": {"id": "6003356308839"}}, "6003356308839"),
        ("$.größe", {"größe": "XL"}, "XL"),
        ("$.in.null.true", {"in": {"null": {"true": 1}}}, "1"),
    ],
)
def test_a_path_finds(path: str, result: Any, expected: str) -> None:
    assert resolve(path, result) == expected


def test_a_key_may_be_quoted_inside_of_json() -> None:
    value = json.dumps({"hash": '{result=image:$.images["test1.jpg"].hash}'})
    results = {"image": {"images": {"test1.jpg": {"hash": "a1"}}}}
    assert json.loads(substitute(value, results=results)) == {"hash": "a1"}
    twice = json.dumps({"spec": value})
    assert json.loads(json.loads(substitute(twice, results=results))["spec"]) == {"hash": "a1"}


@pytest.mark.parametrize(
    ("path", "result"),
    [
        ("$.missing", {"id": "1"}),
        ("$.id", {"id": None}),
        ("$.id.id", {"id": "text"}),
        ("$.id[0]", {"id": "text"}),
        ("$[0]", {"0": "a key is no index"}),
        ("$[1]", ["x"]),
        ("$.*", []),
        ("$.*", [None]),
    ],
)
def test_a_path_that_finds_nothing_is_unresolved(path: str, result: Any) -> None:
    with pytest.raises(UnresolvedReference) as raised:
        resolve(path, result)
    assert raised.value.reference == Reference("a", path)


def test_a_name_without_a_result_is_unresolved() -> None:
    with pytest.raises(UnresolvedReference) as raised:
        substitute("{result=a:$.id}{result=b:$.id}", results={"a": {"id": "1"}})
    assert raised.value.reference == Reference("b", "$.id")


@pytest.mark.parametrize(
    "path",
    [
        "",
        "id",
        ".id",
        " $.id",
        "$.id ",
        "$id",
        "$.",
        "$..id",
        "$..*",
        "$[",
        "$['id",
        "$[id]",
        "$[0",
        "$[1e2]",
        "$[01]",
        "$[99999999999999999]",
        "$[0,1]",
        "$[*,*]",
        "$[0:1]",
        "$[?@.id]",
        "$[?match(@.id, '(a+)+$')]",
        "$[?@.id =~ /(a+)+$/]",
        "$[?@ == 1e999]",
        "$[?" + "(" * 490,
        "$[$.id]",
        "$.~id",
        "$.id | $.id",
        "$.id & $.id",
        "^",
        "$.length()",
    ],
)
def test_a_path_outside_of_the_grammar_is_unresolved(path: str) -> None:
    with pytest.raises(UnresolvedReference):
        resolve(path, {"id": "1", "data": ["x", "y"], "match": "m"})


def test_what_was_put_in_is_not_searched_again() -> None:
    assert resolve("$.id", {"id": "{result=a:$.id}\\1"}) == "{result=a:$.id}\\1"


@given(ANY_TEXT.filter(lambda text: "{result=" not in text), json_values())
def test_a_text_without_references_is_untouched(text: str, result: Any) -> None:
    assert find_references(text) == ()
    assert substitute(text, results={"a": result}) == text


@given(
    HOSTILE_PATH | ANY_TEXT, json_values() | st.just({"a": [{"b-c": "x"}, None], "b-c": {"a": 1}})
)
@example("$" + ".a" * 249, {"a": {"a": 1}})
def test_any_path_finds_something_or_is_unresolved(path: str, result: Any) -> None:
    replaced = "before unresolved after"
    with contextlib.suppress(UnresolvedReference):
        replaced = substitute(f"before {{result=a:{path}}} after", results={"a": result})
    assert replaced.startswith("before ")
    assert replaced.endswith(" after")


@given(st.dictionaries(st.text(min_size=1), st.text(), min_size=1, max_size=5))
def test_any_key_without_braces_can_be_quoted(record: dict[str, str]) -> None:
    for key, value in record.items():
        if "{" not in key and "}" not in key and "\\" not in json.dumps(key):
            assert resolve(f"$[{json.dumps(key, ensure_ascii=False)}]", record) == value


def test_no_more_is_put_in_than_a_text_may_take() -> None:
    assert resolve("$[*]", ["x"] * 1000) == ",".join(["x"] * 1000)
    with pytest.raises(UnresolvedReference):
        resolve("$[*]", ["x"] * 1001)
    with pytest.raises(UnresolvedReference):
        resolve("$[*][*].id", [["x"] * 100] * 100)
    with pytest.raises(UnresolvedReference):
        substitute("{result=a:$.id}" * 1001, results={"a": {"id": "x" * 1000}})
    with pytest.raises(UnresolvedReference):
        substitute(
            "".join(f"{{result=a:$[{index}]}}" for index in range(51)), results={"a": ["x"] * 51}
        )


def test_a_path_has_at_most_500_characters() -> None:
    result = {"x" * 498: "1", "x" * 499: "2"}
    assert resolve("$." + "x" * 498, result) == "1"
    with pytest.raises(UnresolvedReference):
        resolve("$." + "x" * 499, result)


def test_a_thousand_ads_may_share_one_creative() -> None:
    text = "{result=a:$.id}," * 1000
    assert substitute(text, results={"a": {"id": "12"}}) == "12," * 1000


def test_a_result_nested_too_deeply_to_write_is_unresolved() -> None:
    result: list[Any] = []
    for _ in range(200_000):
        result = [result]
    with pytest.raises(UnresolvedReference):
        resolve("$", result)
    while result:  # taken apart by hand: freeing it at once would be as deep
        result = result.pop()


@pytest.mark.parametrize(
    "text",
    [
        "{result=" * 50_000,
        "{result=a" + "a" * 400_000,
        "{result=a:" * 40_000,
        "{result=a:$['" * 30_000,
    ],
    ids=["starts", "name", "paths", "quotes"],
)
def test_a_hostile_text_is_read_in_linear_time(text: str) -> None:
    start = time.process_time()
    assert find_references(text) == ()
    assert time.process_time() - start < 1
