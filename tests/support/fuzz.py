"""Generated requests: everything that Facebook's page names, bent and broken."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

from hypothesis import strategies as st

from receiver.sandbox.calls.messages import Call
from tests.support.fuzz_examples import (
    ADBATCHES,
    BATCHES,
    CREATIVE,
    EXAMPLES,
    EXPANSIONS,
    FILTERS,
    SPECS,
    TARGETINGS,
)
from tests.support.json_strategies import SCALARS, json_values

Pairs = list[tuple[str, Any]]

HOST = "http://sandbox"
METHODS = ("GET", "GET", "POST", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS")

ODD_TEXT = st.text(max_size=12) | st.sampled_from(
    [
        *("", "\x00", "\ud800", "null", "NaN", "-1", "1e999", "9" * 40, "9" * 5000, "[" * 3000),
        *("{'a':" * 500, "true", "act_1", "☃", "%", "%00", "%ff", "..", "{result=a:$.id}"),
    ]
)
ODD_JSON = json_values(SCALARS | ODD_TEXT, keys=ODD_TEXT)
DEEP = st.integers(30, 3000).map(lambda depth: "[" * depth + "]" * depth) | st.integers(
    30, 900
).map(lambda depth: '{"a":' * depth + "1" + "}" * depth)


@st.composite
def bent(draw: Callable[..., Any], examples: tuple[str, ...]) -> str:
    """An example of the page with a few parts cut out, doubled, or replaced."""
    text: str = draw(st.sampled_from(examples))
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(text)))
        part = text[start : start + draw(st.integers(0, 9))]
        put = draw(
            st.sampled_from(["", part * 2, "'", '"', "\\", "{", "]", ",", "$..*"]) | ODD_TEXT
        )
        text = text[:start] + put + text[start + len(part) :]
    return text


NAMED_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "batch": bent(BATCHES),
    "adbatch": bent(ADBATCHES),
    "ad_specs": bent(SPECS),
    "creative_spec": bent((CREATIVE,)),
    "fields": bent(EXPANSIONS),
    "filtering": bent(FILTERS),
    "targeting_spec": bent(TARGETINGS),
    "ids": bent(("8,9", "SET,REQUEST", '["8","9"]', "act_1,5")),
    "id": st.sampled_from(["SET", "REQUEST", "AD", "act_1", "5"]),
    "name": st.just("will fail") | ODD_TEXT,
    "status": bent(("SUCCESS,ERROR", "PAUSED", '["SUCCESS"]')),
    "statuses": bent(('["SUCCESS","ERROR"]', "success")),
    "is_completed": st.sampled_from(["1", "0", "true", "false", "maybe"]),
    "after": bent(("MQ", "LTE", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5")),
    "before": bent(("MQ", "Mg==")),
    "limit": st.sampled_from(["1", "0", "-1", "500", "501", "9" * 30, "1.5"]),
    "adset_id": st.sampled_from(["5", "AD", "SET"]),
    "campaign_id": st.sampled_from(["4", "AD"]),
    "creative": st.sampled_from(['{"creative_id":"7"}', '{"id":7}', "7", "[]"]),
    "adset_ids": bent(("[5, 6]",)),
    "campaign_ids": bent(("[4]",)),
    "objective": st.just("LINK_CLICKS"),
    "notification_mode": st.sampled_from(["0", "1", "OFF", "ON_COMPLETE"]),
    "notification_uri": bent(("http://127.0.0.1:1/hook?a=b",)),
    "method": st.sampled_from(["get", "delete", "PUT", "FLY"]),
    "redownload": st.sampled_from(["1", "true"]),
    "summary": st.sampled_from(["1", "true", "total_count"]),
    "include_headers": st.sampled_from(["false", "maybe"]),
    "pretty": st.just("1"),
    "callback": ODD_TEXT,
    "targeting": bent(TARGETINGS),
    "input_token": st.sampled_from(["t", "invalid", "expired", ""]),
    "type": st.sampled_from(["0", "BATCH_API"]),
    "appsecret_proof": ODD_TEXT,
}
TOKENS = st.sampled_from(["t"] * 60 + ["", "invalid", "expired-x", "\ud800"])
EXTRA = st.lists(
    st.sampled_from(sorted(NAMED_VALUES)).flatmap(
        lambda name: st.tuples(st.just(name), NAMED_VALUES[name] | ODD_TEXT | DEEP)
    )
    | st.tuples(ODD_TEXT, ODD_TEXT),
    max_size=2,
)

OBJECTS = (
    "",
    "act_1",
    "SET",
    "REQUEST",
    "AD",
    "4",
    "5",
    "7",
    "me",
    "debug_token",
    "act_",
    "9" * 30,
)
EDGES = (
    *("", "requests", "asyncadrequests", "asyncadrequestsets", "async_batch_requests"),
    *("async_requests", "asyncadcreatives", "asyncadcopies", "ads", "adsets", "campaigns"),
    *("adcreatives", "adimages", "insights", "adgroupstats", "reachestimate", "adaccounts"),
    *("instruments", "nonsense"),
)
PATHS = st.builds(
    lambda *parts: "/".join(parts),
    st.sampled_from(["", "", "/", "/v21.0", "/v26.0/", "/v99999.0"]),
    st.sampled_from(OBJECTS),
    st.sampled_from(EDGES),
) | st.binary(max_size=20).map(lambda raw: "/" + raw.decode("latin-1"))

HEADERS = st.dictionaries(
    st.sampled_from(["authorization", "if-none-match", "user-agent", "accept", "host"]),
    st.sampled_from(["*", "Bearer t", "OAuth ", 'W/"x", "y"', "\xff\x00"]),
    max_size=2,
)


def encode_form(pairs: Pairs) -> str:
    return "&".join(f"{_quote(name)}={_quote(text)}" for name, text in pairs)


def _quote(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return quote_plus(text, errors="surrogatepass")


def _multipart(pairs: Pairs) -> bytes:
    parts = [
        f'--x\r\nContent-Disposition: form-data; name="{quote(name, errors="replace")}"'
        f"{'; filename=a.png' if name.startswith('c') else ''}\r\n\r\n{text}\r\n"
        for name, text in pairs
    ]
    return ("".join(parts) + "--x--\r\n").encode("utf-8", "surrogatepass")


@st.composite
def _bodies(draw: Callable[..., Any], pairs: Pairs) -> tuple[str, bytes]:
    """A content type and a body of these parameters, which may be broken off or not fit it."""
    odd = draw(st.just({}) | JSON_PARAMETERS)
    bodies = {
        "application/x-www-form-urlencoded": encode_form(pairs).encode(),
        "application/json": json.dumps({**dict(pairs), **odd}).encode(),
        "multipart/form-data; boundary=x": _multipart(pairs),
    }
    content_type, body = draw(st.sampled_from(sorted(bodies.items())))
    match draw(st.integers(0, 19)):
        case 0:
            body = body[: draw(st.integers(0, len(body)))]
        case 1:
            body = draw(st.binary(max_size=40))
        case 2:
            content_type = draw(st.sampled_from(ODD_TYPES))
    return content_type, body


JSON_PARAMETERS = st.dictionaries(st.sampled_from(sorted(NAMED_VALUES)), ODD_JSON, max_size=2)
ODD_TYPES = (
    "multipart/form-data",
    'multipart/form-data; boundary=""',
    f"multipart/form-data; boundary={'b' * 500}",
    "multipart/form-data; boundary=\xff",
    "application/json; charset=nonsense",
    "application/x-www-form-urlencoded; charset=utf-16",
    ";;;=",
    "",
)


@st.composite
def calls(draw: Callable[..., Any]) -> Call:
    """A call of the page, or to anywhere, with more than it needs, and perhaps with odd values.

    ``SET``, ``REQUEST``, ``AD`` and ``CREATIVE`` stand for ids that exist.
    """
    method, path, needed = draw(st.sampled_from(EXAMPLES))
    if not draw(st.integers(0, 5)):
        method, path = draw(st.sampled_from(METHODS)), draw(PATHS)
    pairs = [(name, draw(_value(name, text))) for name, text in needed.items()] + draw(EXTRA)
    in_query = method in ("GET", "HEAD", "DELETE")
    content_type, body = ("", b"") if in_query else draw(_bodies(pairs))
    query = encode_form([("access_token", draw(TOKENS)), *(pairs if in_query else ())])
    return Call(
        method=method,
        base_url=HOST,
        path=path,
        query=query if draw(st.integers(0, 19)) else draw(st.binary()).decode("latin-1"),
        headers={**draw(HEADERS), "content-type": content_type},
        body=body,
    )


def _value(name: str, text: str) -> st.SearchStrategy[Any]:
    odd = NAMED_VALUES.get(name, ODD_TEXT) | bent((text,)) | DEEP
    return st.sampled_from([True] * 4 + [False]).flatmap(
        lambda keeps: st.just(text) if keeps else odd
    )
