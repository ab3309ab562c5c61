from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.graph.vocabulary import COUNT_FIELDS, is_final
from receiver.sandbox.calls.errors import GraphFault
from receiver.sandbox.views.outcomes import check_fate
from receiver.sandbox.world.behaviour import Behaviour, Progress
from receiver.sandbox.world.request_set import Request, RequestSet
from receiver.sandbox.world.work import Work, ad_work

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SPECS = st.sampled_from(
    [{"name": "ad", "adset_id": "5"}, {"name": "will fail", "adset_id": "5"}, {"name": "homeless"}]
)
PROGRESSES = st.one_of(
    st.just(Progress(kind="at_once")),
    st.just(Progress(kind="by_hand")),
    st.builds(Progress, kind=st.just("after_reads"), reads=st.integers(1, 9)),
    st.builds(Progress, kind=st.just("after_seconds"), seconds=st.floats(0, 30)),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.integers(0, 10)),
        st.tuples(st.just("read"), st.integers(1, 3)),
        st.tuples(st.just("hand"), st.integers(1, 5)),
        st.tuples(st.just("cancel"), st.integers(0, 19)),
    ),
    max_size=20,
)
ORDER = {"INITIAL": 0, "IN_PROGRESS": 1}


class Story:
    """A set, what is done to it step by step, and what it looked like after each step."""

    def __init__(self, specs: list[dict[str, str]], progress: Progress) -> None:
        works = [ad_work("1", spec) for spec in specs]
        requests = [Request(str(i), work, START, START) for i, work in enumerate(works)]
        self.set = RequestSet("9", "1", "set", requests, Behaviour(progress), START, START)
        self.now = START
        self.ids = map(str, count(100))
        self.completions = 0
        self.seen = [self.look()]

    def look(self) -> list[tuple[str, object]]:
        return [(request.status, request.result) for request in self.set.requests]

    def take(self, step: str, amount: int) -> None:
        if step == "wait":
            self.now += timedelta(seconds=amount)
        elif step == "read":
            self.set.reads += amount
        elif step == "hand":
            self.set.advance_by_hand(amount)
        else:
            self.cancel(self.set.requests[amount % len(self.set.requests)])
        self.completions += self.set.advance(now=self.now, perform=self.perform)
        self.seen.append(self.look())

    def perform(self, _request: Request, work: Work) -> dict[str, Any]:
        if "adset_id" not in work.parameters:
            raise GraphFault("(#100) The parameter adset_id is required", 100)
        check_fate(work.parameters)
        return {"id": next(self.ids)}

    def cancel(self, request: Request) -> None:
        if request.status == "INITIAL":
            self.completions += self.set.cancel(request, now=self.now)
        else:
            with pytest.raises(ValueError, match=request.status):
                self.set.cancel(request, now=self.now)


@given(specs=st.lists(SPECS, min_size=1, max_size=20), progress=PROGRESSES, steps=STEPS)
def test_whatever_happens_counts_add_up_and_statuses_only_move_forward(
    specs: list[dict[str, str]], progress: Progress, steps: list[tuple[str, int]]
) -> None:
    story = Story(specs, progress)
    for step, amount in steps:
        story.take(step, amount)
        assert sum(story.set.counts[field] for field in COUNT_FIELDS) == len(specs)
        assert min(story.set.counts.values()) >= 0
        assert story.set.is_completed == all(is_final(status) for status, _ in story.look())
    assert story.completions == int(story.set.is_completed)
    for earlier, later in pairwise(story.seen):
        for before, after in zip(earlier, later, strict=True):
            assert before == after if is_final(before[0]) else rank(after[0]) >= rank(before[0])
            assert (after[1] is not None) == (after[0] in ("SUCCESS", "ERROR"))


def rank(status: str) -> int:
    return ORDER.get(status, 2)


@given(specs=st.lists(SPECS, min_size=1, max_size=20), progress=PROGRESSES)
def test_every_progress_ends(specs: list[dict[str, str]], progress: Progress) -> None:
    story = Story(specs, progress)
    story.take("wait", 30)
    story.take("read", 9)
    if progress.kind == "by_hand":
        assert not story.set.is_completed
        story.take("hand", len(specs))
    assert story.set.is_completed


def test_a_set_on_its_way_shows_all_three_stages() -> None:
    specs = [{"name": "ad", "adset_id": "5"}] * 3
    story = Story(specs, Progress(kind="after_seconds", seconds=3))
    story.take("wait", 1)
    assert [status for status, _ in story.look()] == ["SUCCESS", "IN_PROGRESS", "INITIAL"]


def test_a_failed_request_names_code_and_message() -> None:
    story = Story([{"name": "homeless"}], Progress())
    story.take("wait", 0)
    assert story.set.requests[0].result == {
        "error_code": 100,
        "error_message": "(#100) The parameter adset_id is required",
    }
