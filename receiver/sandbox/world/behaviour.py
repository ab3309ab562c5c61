"""How an account behaves: how its sets progress, and what becomes of their notifications."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from receiver.sandbox.world.edge_behaviour import EdgeBehaviour


class Progress(BaseModel):
    """How the requests of a set get worked off."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["at_once", "after_seconds", "after_reads", "by_hand"] = "at_once"
    seconds: float = Field(default=1, ge=0, le=86_400)
    reads: int = Field(default=1, ge=1)


class NotificationPlan(BaseModel):
    """What becomes of a set's notification, and what its body looks like.

    ``body_id`` stands in the body where the set's own id belongs.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["deliver", "never", "lost", "late", "twice", "before_answer", "error"] = "deliver"
    seconds: float = Field(default=1, ge=0, le=86_400)
    body: Literal["form", "json", "query", "empty", "garbage"] = "form"
    body_id: str | None = None


class BehaviourChange(BaseModel):
    """What the control API sets for the sets that are created from now on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    progress: Progress | None = None
    notification: NotificationPlan | None = None


@dataclass(frozen=True)
class Behaviour:
    progress: Progress = field(default_factory=Progress)
    notification: NotificationPlan = field(default_factory=NotificationPlan)

    def changed_by(self, change: BehaviourChange) -> Behaviour:
        return Behaviour(
            progress=change.progress or self.progress,
            notification=change.notification or self.notification,
        )


@dataclass
class BehaviourSettings:
    """The changes made to an account's behaviour, in the order in which they were made."""

    edge: EdgeBehaviour = field(default_factory=EdgeBehaviour)
    lasting: list[BehaviourChange] = field(default_factory=list)
    _passing: deque[BehaviourChange] = field(default_factory=deque)

    def add(self, change: BehaviourChange, *, next_sets: int | None = None) -> None:
        """Take up a change of the account's next sets, or of all that come."""
        if next_sets is None:
            self.lasting.append(change)
        else:
            self._passing.extend([change] * next_sets)

    def take_next(self, defaults: Behaviour) -> Behaviour:
        """Return the behaviour of the account's next set, which uses up one passing change."""
        behaviour = defaults
        for change in self.lasting:
            behaviour = behaviour.changed_by(change)
        return behaviour.changed_by(self._passing.popleft()) if self._passing else behaviour
