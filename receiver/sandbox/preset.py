"""How a sandbox is from its start, and again after each reset: read from a file."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from receiver.sandbox.calls.access import AccessToken
from receiver.sandbox.calls.ids import AccountId
from receiver.sandbox.scene import AccountChange, Scene
from receiver.sandbox.troubles.trouble import TroubleRule
from receiver.sandbox.world.behaviour import BehaviourChange


class Preset(BaseModel):
    """What control calls would set, in their shapes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    defaults: BehaviourChange = Field(default_factory=BehaviourChange)
    accounts: dict[AccountId, AccountChange] = Field(default_factory=dict)
    troubles: tuple[TroubleRule, ...] = ()
    latency_ms: float = Field(default=0, ge=0, le=600_000)
    operation_latency_ms: float = Field(default=0, ge=0, le=600_000)
    tokens: tuple[AccessToken, ...] = ()

    def apply(self, scene: Scene) -> None:
        scene.world.change_defaults(self.defaults)
        for account_id, change in self.accounts.items():
            scene.change_account(account_id, change)
        for rule in self.troubles:
            scene.troubles.add(rule)
        for token in self.tokens:
            scene.world.tokens[token.token] = token
        scene.latency_seconds = self.latency_ms / 1000
        scene.operation_latency_seconds = self.operation_latency_ms / 1000
