"""The other sets: of an async batch's operations, and of one creative."""

from __future__ import annotations

from collections.abc import Sequence

from receiver.graph import serve
from receiver.graph.serve import BadParameter
from receiver.sandbox.calls import access
from receiver.sandbox.views import sets
from receiver.sandbox.views.context import Context, EdgeCall, Json
from receiver.sandbox.world.request_set import Edge
from receiver.sandbox.world.work import Work, creative_work, operation_work
from receiver.sandbox.world.world import Account, SetPlan


def create_batch(context: Context, account: Account) -> Json:
    """``POST /act_<id>/async_batch_requests``.

    Raises BadParameter.
    """
    if context.parameters.get("name") in (None, ""):
        raise serve.MissingParameter.named("name")
    name = serve.parse_name(context.parameters)
    works = [operation_work(operation) for operation in serve.parse_adbatch(context.parameters)]
    _check_token(context, works)
    return sets.create(context, account, SetPlan(name, works, Edge.BATCH))


def _check_token(context: Context, works: Sequence[Work]) -> None:
    """Raise GraphFault for an operation on an account that the call's token is not for."""
    token = context.world.tokens.get(context.call.token)
    if token is not None:
        things = (work.path.split("/")[1] for work in works)
        access.check_accounts(token, map(context.world.account_of, things))


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
