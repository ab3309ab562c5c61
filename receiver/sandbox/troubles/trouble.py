"""Trouble with calls, by rule: what goes wrong, how often, and whether the call takes effect."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from receiver.sandbox.calls.ids import AccountId
from receiver.sandbox.troubles.limits import LIMIT_CODES

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
    "throttle",
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
    "throttle": ("none",),
}
"""When a call may take effect, seen from its trouble; the first is what a rule means by itself."""


class TroubleRule(BaseModel):
    """One rule of trouble: the calls that it means, how many of them, and what happens to them.

    ``path`` is a regular expression searched for in the path as the call log shows it. A rule
    without ``count`` is used up by one call; ``count`` null lasts until it is cleared. With a
    ``probability`` it takes its calls by chance, drawn from a generator of its own that begins
    with ``seed``: ``count`` counts those that it took, and is null unless given. ``effect`` says
    whether the call takes effect ``before`` the trouble, ``after`` it, or not at all (``none``).
    ``throttle`` blocks the call's account for ``seconds``, with one of the codes of limits.
    """

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    method: str | None = None
    path: str = ""
    account: AccountId | None = None
    count: int | None = Field(default=1, ge=1)
    probability: float | None = Field(default=None, ge=0, le=1)
    seed: int = 0
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

    @model_validator(mode="after")
    def _chance_lasts(self) -> TroubleRule:
        if self.probability is not None and "count" not in self.model_fields_set:
            self.count = None
        return self

    @model_validator(mode="after")
    def _throttle_has_a_code_of_limits(self) -> TroubleRule:
        if self.kind == "throttle" and self.limit_code not in (None, *LIMIT_CODES):
            raise ValueError(f"code of throttle must be one of {', '.join(map(str, LIMIT_CODES))}")
        return self

    @property
    def limit_code(self) -> int | None:
        """The code that a throttle was given; None for that of the account's limits."""
        return self.code if "code" in self.model_fields_set else None

    def means(self, *, method: str, path: str, account: str | None) -> bool:
        """Tell whether the rule is about this call."""
        if self.method is not None and self.method.upper() != method:
            return False
        if self.account is not None and self.account != account:
            return False
        return re.search(self.path, path) is not None


@dataclass
class _RuleInForce:
    rule: TroubleRule
    left: int | None
    draws: Random = field(repr=False)

    def takes(self, *, method: str, path: str, account: str | None) -> bool:
        """Tell whether the rule takes this call, which costs one draw where chance decides."""
        if not self.rule.means(method=method, path=path, account=account):
            return False
        return self.rule.probability is None or self.draws.random() < self.rule.probability


class Troubles:
    """The rules in force, in the order in which they came. The first that takes a call has it."""

    def __init__(self) -> None:
        self._rules: list[_RuleInForce] = []

    def add(self, rule: TroubleRule) -> None:
        draws = Random(rule.seed)  # noqa: S311  # trouble has to come back the same, not be secret
        self._rules.append(_RuleInForce(rule, rule.count, draws))

    def clear(self) -> int:
        """End every rule; return how many there were."""
        count = len(self._rules)
        self._rules.clear()
        return count

    def take(self, *, method: str, path: str, account: str | None) -> TroubleRule | None:
        """Return the rule that takes this call, one use of it spent; None for an untroubled one."""
        for each in self._rules:
            if each.takes(method=method, path=path, account=account):
                self._use_up(each)
                return each.rule
        return None

    def _use_up(self, each: _RuleInForce) -> None:
        if each.left is None:
            return
        each.left -= 1
        if each.left == 0:
            self._rules.remove(each)

    def report(self) -> list[dict[str, Any]]:
        """Return the rules that are left; ``count`` is how many calls each will take yet."""
        return [{**each.rule.model_dump(), "count": each.left} for each in self._rules]
