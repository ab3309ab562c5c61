"""Generated request sets: how they progress, and what they are asked to make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from tests.support.set_model import Task

PROGRESS = st.one_of(
    st.just({"kind": "at_once", "amount": 0}),
    st.just({"kind": "by_hand", "amount": 0}),
    st.builds(lambda n: {"kind": "after_seconds", "amount": n}, st.integers(0, 60)),
    st.builds(lambda n: {"kind": "after_reads", "amount": n}, st.integers(1, 4)),
)
AD_SPECS = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from(["good", "good", "will fail"])},
        optional={"adset_id": st.sampled_from(["5", "6"])},
    ),
    min_size=1,
    max_size=12,
)


@st.composite
def batch_tasks(draw: Callable[..., Any]) -> list[Task]:
    """Ads, each of which may need earlier ones: one may fail in the middle of a chain."""
    size = draw(st.integers(1, 8))
    return [
        Task(
            name=f"op-{index}",
            can_be_done=draw(st.integers(0, 4)) > 0,
            parents=tuple(sorted(draw(st.sets(st.integers(0, index - 1), max_size=2))))
            if index
            else (),
        )
        for index in range(size)
    ]


def operation(task: Task) -> dict[str, str]:
    """Return the operation of an async batch that does a task."""
    references = " ".join(f"{{result=op-{parent}:$.id}}" for parent in task.parents)
    word = "good" if task.can_be_done else "fail"
    body = f"adset_id=5&status=PAUSED&name={word} {task.name} {references}"
    return {"name": task.name, "relative_url": "act_9/ads", "body": body}
