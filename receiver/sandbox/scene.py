"""All that a reset forgets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pydantic import Field

from receiver.sandbox.calls.batches import BatchBehaviour
from receiver.sandbox.troubles.limits import Limits, Quotas
from receiver.sandbox.troubles.trouble import Troubles
from receiver.sandbox.troubles.usage import CallLog
from receiver.sandbox.world.behaviour import BehaviourChange
from receiver.sandbox.world.edge_behaviour import EdgeBehaviour
from receiver.sandbox.world.world import World


class AccountChange(BehaviourChange):
    """What the control API sets of an account.

    ``next_sets`` limits the change of progress and notification to that many sets; ``edge`` and
    ``limits`` hold at once, for everything.
    """

    next_sets: int | None = Field(default=None, ge=1, le=100_000)
    edge: EdgeBehaviour | None = None
    limits: Limits | None = None


@dataclass
class Scene:
    """The world, its troubles and limits, and what was counted."""

    world: World
    troubles: Troubles = field(default_factory=Troubles)
    quotas: Quotas = field(default_factory=Quotas)
    calls: CallLog = field(default_factory=CallLog)
    overrides: dict[str, dict[str, Any]] = field(default_factory=dict)
    latency_seconds: float = 0.0
    operation_latency_seconds: float = 0.0
    batches: BatchBehaviour = field(default_factory=BatchBehaviour)

    def change_account(self, account_id: str, change: AccountChange) -> None:
        """Change what is given of an account; one that did not exist comes into being."""
        settings = self.world.account(account_id).settings
        settings.add(change, next_sets=change.next_sets)
        if change.edge is not None:
            settings.edge = change.edge
        if change.limits is not None:
            self.quotas.set_limits(account_id, change.limits)
