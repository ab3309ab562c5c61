"""How a sandbox is from its start, and again after each reset: read from a file."""

from __future__ import annotations

import json
import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from receiver.sandbox.access import AccessToken
from receiver.sandbox.behaviour import AccountChange, BehaviourChange
from receiver.sandbox.scene import Scene
from receiver.sandbox.trouble import TroubleRule
from receiver.sandbox.validation import first_problem


class BadPreset(ValueError):
    """A preset that cannot be used; the message names the wrong key."""


def _account_id(name: str) -> str:
    if not re.fullmatch(r"(act_)?[0-9]{1,20}", name):
        raise ValueError("is no account: write act_ and its number")
    return name.removeprefix("act_")


class Preset(BaseModel):
    """What control calls would set, in their shapes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    defaults: BehaviourChange = Field(default_factory=BehaviourChange)
    accounts: dict[Annotated[str, AfterValidator(_account_id)], AccountChange] = Field(
        default_factory=dict
    )
    troubles: tuple[TroubleRule, ...] = ()
    latency_ms: float = Field(default=0, ge=0, le=600_000)
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


def read_preset(text: bytes) -> Preset:
    """Read a preset from JSON. Raises BadPreset."""
    try:
        return Preset.model_validate(json.loads(text))
    except ValidationError as error:
        raise BadPreset(first_problem(error)) from error
    except (ValueError, RecursionError) as error:
        raise BadPreset(f"it is not JSON ({error})") from error
