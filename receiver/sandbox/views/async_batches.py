"""The other sets: of an async batch's operations, and of one creative."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from receiver.graph import serve
from receiver.graph.serve import BadParameter
from receiver.graph.vocabulary import MAX_ADS_PER_SET
from receiver.sandbox.calls import access, errors
from receiver.sandbox.views import sets
from receiver.sandbox.views.context import Context, EdgeCall, Json
from receiver.sandbox.world.request_set import Edge
from receiver.sandbox.world.work import AsyncOperation, Work, creative_work, operation_work
from receiver.sandbox.world.world import Account, SetPlan

_PARTS = ("name", "relative_url", "body")


def create_batch(context: Context, account: Account) -> Json:
    """``POST /act_<id>/async_batch_requests``.

    Raises GraphFault for an operation without one of its parts.
    """
    if context.parameters.get("name") in (None, ""):
        raise errors.missing_parameter("name")
    name = serve.parse_name(context.parameters)
    operations = _read_adbatch(serve.decode_json(context.parameters, "adbatch", lenient=True))
    works = [operation_work(operation) for operation in operations]
    _check_token(context, works)
    return sets.create(context, account, SetPlan(name, works, Edge.BATCH))


def _check_token(context: Context, works: Sequence[Work]) -> None:
    """Raise GraphFault for an operation on an account that the call's token is not for."""
    token = context.world.tokens.get(context.call.token)
    if token is not None:
        things = (work.path.split("/")[1] for work in works)
        access.check_accounts(token, map(context.world.account_of, things))


def _read_adbatch(entries: Any) -> list[AsyncOperation]:
    if entries is None:
        raise errors.missing_parameter("adbatch")
    if not isinstance(entries, list) or not 1 <= len(entries) <= MAX_ADS_PER_SET:
        raise BadParameter(
            "adbatch", f"Param adbatch must be an array of 1 to {MAX_ADS_PER_SET} operations."
        )
    return [_read_operation(entry, index=index) for index, entry in enumerate(entries)]


def _read_operation(entry: Any, *, index: int) -> AsyncOperation:
    if not isinstance(entry, dict):
        raise BadParameter("adbatch", f"Param adbatch[{index}] must be an object.")
    for part in _PARTS:
        if entry.get(part) in (None, ""):
            raise errors.missing_parameter(f"adbatch[{index}][{part}]")
    name, relative_url = entry["name"], entry["relative_url"]
    if not isinstance(name, str) or not isinstance(relative_url, str):
        raise BadParameter("adbatch", f"Name and relative_url of adbatch[{index}] must be strings.")
    return AsyncOperation(name, relative_url, entry["body"])


def create_creative(context: Context, account: Account) -> Json:
    """``POST /act_<id>/asyncadcreatives``: a set of one creative (the facts, section 1)."""
    parameters = context.parameters
    name = serve.parse_name(parameters)
    spec = serve.decode_json(parameters, "creative_spec", lenient=True)
    if not isinstance(spec, dict):
        raise BadParameter("creative_spec", "Param creative_spec must be an object.")
    uri, mode = serve.parse_notification(parameters)
    plan = SetPlan(name, [creative_work(account.id, spec)], Edge.CREATIVES, uri, mode)
    return sets.create(context, account, plan)


def list_creative_sets(context: Context, account: Account, edge_call: EdgeCall) -> Json:
    """``GET /act_<id>/asyncadcreatives``."""
    return sets.list_sets(context, account, edge_call, made_on=Edge.CREATIVES)
