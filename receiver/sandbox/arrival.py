"""A call's arrival: it is charged and logged, and may be refused or fall into trouble."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from receiver.sandbox.calls.graph_call import GraphCall
from receiver.sandbox.scene import Scene
from receiver.sandbox.troubles.limits import Limits
from receiver.sandbox.troubles.trouble import TroubleRule
from receiver.sandbox.troubles.usage import READ_POINTS, WRITE_POINTS, LoggedCall
from receiver.sandbox.troubles.usage_headers import Headers, usage_headers
from receiver.sandbox.world.world import World


@dataclass(frozen=True)
class Arrival:
    """A call that has come: the accounts of what it names, and the trouble that it falls into.

    There is an account for each thing, None for one that nobody knows the account of.
    """

    accounts: tuple[str | None, ...]
    rule: TroubleRule | None
    latency_seconds: float


def arrive(scene: Scene, call: GraphCall, *, now: datetime) -> Arrival:
    """Charge and log a call.

    Each id of ``ids`` counts as a call; a batch costs nothing, its operations cost theirs (the
    facts, section 3). An account that is blocked is a trouble too, of kind ``throttle``.
    """
    accounts = _accounts_named(scene.world, call)
    points = _points(call)
    charges = _charges(accounts, points=points)
    account = next(iter(charges), None)
    rule = _refusal(scene, charges, now=now) or _take_trouble(scene, call, account, now=now)
    if points:
        scene.quotas.app_calls.add(len(accounts), now=now)
    scene.calls.add(
        LoggedCall(
            call.method,
            call.path,
            account,
            points=points * len(accounts),
            time=now,
            trouble=None if rule is None else rule.kind,
            is_operation=call.is_operation,
        ),
        charges=charges,
    )
    is_operation = call.is_operation
    waits_seconds = scene.operation_latency_seconds if is_operation else scene.latency_seconds
    return Arrival(accounts, rule, waits_seconds)


def _accounts_named(world: World, call: GraphCall) -> tuple[str | None, ...]:
    ids = call.named_ids or call.segments[:1]
    return tuple(map(world.account_of, ids)) or (None,)


def headers_of_usage(
    scene: Scene, call: GraphCall, accounts: Iterable[str | None], *, now: datetime
) -> Headers:
    """Return the usage headers of a call's answer: those of the first account that it names."""
    known = filter(None, accounts)
    is_insights = call.path.endswith("/insights")
    return usage_headers(
        scene.quotas, account_id=next(known, None), is_insights=is_insights, now=now
    )


def _points(call: GraphCall) -> int:
    if call.is_batch:
        return 0
    return READ_POINTS if call.is_read else WRITE_POINTS


def _charges(accounts: Iterable[str | None], *, points: int) -> dict[str, int]:
    charges: dict[str, int] = {}
    for account in accounts:
        if account is not None:
            charges[account] = charges.get(account, 0) + points
    return charges


def _refusal(scene: Scene, charges: Mapping[str, int], *, now: datetime) -> TroubleRule | None:
    codes = [scene.quotas.of(each).spend(n, now=now) for each, n in charges.items() if n]
    code = next(filter(None, codes), None)
    return None if code is None else TroubleRule(kind="throttle", code=code)


def _take_trouble(
    scene: Scene, call: GraphCall, account: str | None, *, now: datetime
) -> TroubleRule | None:
    rule = scene.troubles.take(method=call.method, path=call.path, account=account)
    if rule is None or rule.kind != "throttle":
        return rule
    limits = Limits() if account is None else scene.quotas.of(account).limits
    code = rule.limit_code or limits.code
    if account is not None:
        scene.quotas.of(account).block(timedelta(seconds=rule.seconds), code=code, now=now)
    return rule.model_copy(update={"code": code})
