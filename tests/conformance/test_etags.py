"""The page's fourth part: ETags, of a call and of the operations of a batch."""

from __future__ import annotations

import json
import re

import pytest

from tests.conformance.curl import Entry, Shell, entries
from tests.conformance.page import printed_answer, printed_header_names
from tests.support.sandbox import GraphCaller, SandboxControl

PRINTED_ETAG = "7776cdb01f44354af8bfa4db0c56eebcb1378975"
PRINTED_ETAGS = (
    "21d371640127490b2ed0387e8af3f0f8c9eff012",
    "410e53bb257f116e8716e4ebcc76df1c567b87f4",
)
QUOTED = re.compile(r'"[0-9a-f]{40}"')

NOT_SENT_TODAY = {"x-fb-server", "x-cnection"}
"""Headers of 2012 that the facts (section 4) do not count among today's."""


@pytest.fixture
def account_id(graph: GraphCaller) -> str:
    """The id of an account that was used, and so exists."""
    graph.get("/act_71597454/asyncadrequestsets")
    return "act_71597454"


def etags_of(shell: Shell, **filling: str) -> tuple[str, str]:
    """Do step 1 of the batch; return both ETags, quotes and all."""
    first, second = entries(shell.paste("batch-etags", filling))
    assert first is not None
    assert second is not None
    assert (first.code, second.code) == (200, 200)
    return first.headers["ETag"], second.headers["ETag"]


def answers_since(shell: Shell, etags: tuple[str, str], **filling: str) -> list[Entry | None]:
    """Do step 2 of the batch."""
    known = [etag.strip('"') for etag in etags]
    etag_filling = dict(zip(PRINTED_ETAGS, known, strict=True))
    return entries(shell.paste("batch-etags-unchanged", {**etag_filling, **filling}))


def test_the_accounts_of_a_user_have_an_etag(shell: Shell, account_id: str) -> None:
    answer = shell.paste("etag")
    assert answer.status == 200
    assert QUOTED.fullmatch(answer.headers["etag"])
    assert printed_header_names("etag") - NOT_SENT_TODAY <= set(answer.headers)
    assert account_id in [each["id"] for each in answer.json["data"]]
    assert answer.shown.startswith("HTTP/1.1 200 OK")


@pytest.mark.sandbox_only("RFC 9110 forbids the Content-Length of 0 that the page prints on a 304")
@pytest.mark.usefixtures("account_id")
def test_accounts_that_have_not_changed_are_not_sent_again(shell: Shell) -> None:
    etag = shell.paste("etag").headers["etag"]
    answer = shell.paste("etag-unchanged", {PRINTED_ETAG: etag.strip('"')})
    assert (answer.status, answer.text) == (304, "")
    assert answer.shown.startswith("HTTP/1.1 304 Not Modified")
    assert printed_header_names("etag-unchanged") - NOT_SENT_TODAY <= set(answer.headers)
    assert answer.headers["content-length"] == "0"
    assert "etag" not in answer.headers


def test_accounts_that_have_changed_are_sent(
    shell: Shell, graph: GraphCaller, account_id: str
) -> None:
    etag = shell.paste("etag").headers["etag"]
    graph.get("/act_2/asyncadrequestsets")
    answer = shell.paste("etag-unchanged", {PRINTED_ETAG: etag.strip('"')})
    assert answer.status == 200
    assert answer.headers["etag"] != etag
    assert {account_id, "act_2"} <= {each["id"] for each in answer.json["data"]}


@pytest.mark.usefixtures("account_id")
def test_the_etag_that_the_page_prints_is_nobodys(shell: Shell) -> None:
    answer = shell.paste("etag-unchanged")
    assert answer.status == 200
    assert answer.json["data"]


def test_what_has_not_changed_counts_as_a_call_too(shell: Shell, sandbox: SandboxControl) -> None:
    etag = shell.paste("etag").headers["etag"]
    before = sandbox.calls()["totals"]["calls"]
    assert shell.paste("etag-unchanged", {PRINTED_ETAG: etag.strip('"')}).status == 304
    assert sandbox.calls()["totals"]["calls"] == before + 1


def test_the_etag_is_that_of_the_formatted_answer(graph: GraphCaller, account_id: str) -> None:
    etags = [
        graph.call("GET", f"/{account_id}/asyncadrequestsets", params=params).headers["ETag"]
        for params in ({}, {}, {"pretty": "true"})
    ]
    assert etags[0] == etags[1]
    assert etags[0] != etags[2]


def test_the_operations_of_a_batch_have_etags(shell: Shell) -> None:
    answer = shell.paste("batch-etags")
    assert all(entry and QUOTED.fullmatch(entry.headers["ETag"]) for entry in entries(answer))
    assert len(re.findall(r'"name": ?"ETag", ?"value": ?"\\"[0-9a-f]{40}\\""', answer.text)) == 2
    assert answer.shown.startswith("HTTP/1.1 200 OK")


def test_operations_whose_answer_has_not_changed_answer_304_and_null(shell: Shell) -> None:
    answers = answers_since(shell, etags_of(shell))
    assert [entry and (entry.code, entry.body) for entry in answers] == [(304, None)] * 2
    printed = printed_answer("batch-etags-unchanged")
    assert printed.count('"code": 304') == printed.count('"body": null') == len(answers)


def test_operations_whose_answer_has_changed_are_answered(shell: Shell, graph: GraphCaller) -> None:
    names = {"6004164369439": "6004164369439&fields=name"}
    etags = etags_of(shell, **names)
    graph.post("/6003356308839", name="new name")
    first, second = answers_since(shell, etags, **names)
    assert first is not None
    assert second is not None
    assert (first.code, second.code) == (200, 304)
    assert first.headers["ETag"] != etags[0]
    assert first.body["6003356308839"] == {"id": "6003356308839", "name": "new name"}


def test_each_operation_that_has_not_changed_counts_too(
    shell: Shell, sandbox: SandboxControl
) -> None:
    etags = etags_of(shell)
    before = len(sandbox.calls()["calls"])
    assert [entry and entry.code for entry in answers_since(shell, etags)] == [304, 304]
    # An ad of ``ids`` counts as a call each (the facts, section 3).
    assert sum(call["points"] for call in sandbox.calls()["calls"][before:]) == 3


def test_an_accounts_ads_are_filtered_by_their_campaigns(graph: GraphCaller) -> None:
    account_id = "act_12345678"
    objective = {"objective": "OUTCOME_TRAFFIC", "special_ad_categories": "[]"}
    targeting = '{"geo_locations":{"countries":["US"]}}'
    terms = {"daily_budget": "5000", "billing_event": "IMPRESSIONS", "bid_amount": "2"}
    ads = {}
    for name in ("one", "two"):
        campaign = graph.post(f"/{account_id}/campaigns", name=name, **objective)["id"]
        ad_set = {"name": name, "campaign_id": campaign, "targeting": targeting, **terms}
        adset_id = graph.post(f"/{account_id}/adsets", **ad_set)["id"]
        ad = {"name": name, "adset_id": adset_id, "creative": '{"creative_id":"6008248529001"}'}
        ads[campaign] = graph.post(f"/{account_id}/ads", status="PAUSED", **ad)["id"]
    for campaign, ad_id in ads.items():
        page = graph.get(f"/{account_id}/ads", campaign_ids=json.dumps([campaign]))
        assert [each["id"] for each in page["data"]] == [ad_id]
