"""Trouble with calls, by rule: what goes wrong, how often, and whether the call takes effect."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Kind = Literal[
    "graph_error",
    "http_error",
    "not_json",
    "no_id",
    "error_in_200",
    "null",
    "cut",
    "reset",
    "commit_then_drop",
    "slow",
    "hold",
]
Effect = Literal["none", "before", "after"]

_EFFECTS: dict[Kind, tuple[Effect, ...]] = {
    "graph_error": ("none", "before"),
    "http_error": ("none", "before"),
    "error_in_200": ("none", "before"),
    "not_json": ("before", "none"),
    "no_id": ("before", "none"),
    "null": ("before", "none"),
    "cut": ("before",),
    "reset": ("none",),
    "commit_then_drop": ("before",),
    "slow": ("after", "before"),
    "hold": ("after", "before"),
}
"""When a call may take effect, seen from its trouble; the first is what a rule means by itself."""


class TroubleRule(BaseModel):
    """One rule of trouble: the calls that it means, how many of them, and what happens to them.

    ``path`` is a regular expression searched for in the path as the call log shows it. A rule
    without ``count`` is used up by one call; ``count`` null lasts until the next reset.
    ``effect`` says whether the call takes effect ``before`` the trouble, ``after`` it, or not at
    all (``none``).
    """

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    method: str | None = None
    path: str = ""
    account: str | None = None
    count: int | None = Field(default=1, ge=1)
    effect: Effect = "none"
    code: int = 2
    subcode: int | None = None
    message: str = "An unexpected error has occurred. Please retry your request later."
    type: str = "OAuthException"
    http_status: int = Field(default=400, ge=200, le=599)
    is_transient: bool | None = None
    status: int = Field(default=502, ge=200, le=599)
    seconds: float = Field(default=1, ge=0, le=600)

    @field_validator("path")
    @classmethod
    def _path_is_a_pattern(cls, path: str) -> str:
        try:
            re.compile(path)
        except (re.error, RecursionError, OverflowError) as error:
            raise ValueError("is not a regular expression") from error
        return path

    @model_validator(mode="after")
    def _effect_fits_the_kind(self) -> TroubleRule:
        allowed = _EFFECTS[self.kind]
        if "effect" not in self.model_fields_set:
            self.effect = allowed[0]
        if self.effect not in allowed:
            raise ValueError(f"effect of {self.kind} must be one of {', '.join(allowed)}")
        return self

    def means(self, *, method: str, path: str, account: str | None) -> bool:
        """Tell whether the rule is about this call."""
        if self.method is not None and self.method.upper() != method:
            return False
        if self.account is not None and self.account.removeprefix("act_") != account:
            return False
        return re.search(self.path, path) is not None


class Troubles:
    """The rules in force, in the order in which they came. The first that means a call takes it."""

    def __init__(self) -> None:
        self._rules: list[TroubleRule] = []

    def add(self, rule: TroubleRule) -> None:
        self._rules.append(rule)

    def take(self, *, method: str, path: str, account: str | None) -> TroubleRule | None:
        """Return the rule that takes this call, one use of it spent; None for an untroubled one."""
        for rule in self._rules:
            if rule.means(method=method, path=path, account=account):
                self._use_up(rule)
                return rule
        return None

    def _use_up(self, rule: TroubleRule) -> None:
        if rule.count is None:
            return
        rule.count -= 1
        if rule.count == 0:
            self._rules.remove(rule)
