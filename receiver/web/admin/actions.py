"""The actions of the admin API: on one set, on an account, or on many sets by a plan."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response
from flask_openapi.models.tag import Tag

from receiver.crypto import CannotOpen
from receiver.graph.errors import CallFailed
from receiver.lifecycle import bulk
from receiver.lifecycle.actions import perform
from receiver.lifecycle.actions.outcome import Done, Refused
from receiver.lifecycle.bulk import CannotConfirm, Planned
from receiver.lifecycle.spending import NoPoints
from receiver.store import action_plans, reports
from receiver.store.models import RequestSet
from receiver.web.admin import documents, plan_words
from receiver.web.admin.api import answer, blueprint, refusals
from receiver.web.admin.holder import actor, holder
from receiver.web.admin.parameters import (
    AbandonBody,
    AccountPath,
    ActionPath,
    AdoptBody,
    NumberPath,
    PlanBody,
    PlanPath,
)
from receiver.web.admin.problems import Problem
from receiver.web.admin.reading import set_filter
from receiver.web.context import outgoing_slots, parts
from receiver.web.slots import NoSlot

_ACTIONS: list[Tag | dict[str, Any]] = [
    Tag(name="Actions", description="Each is kept in the audit log. They need a key that may act.")
]
_REFUSALS = refusals(403, 404, 409, 429, 502)
_ITEMS_SHOWN = 100


@blueprint.post(
    "/request-sets/<number>/actions/<action>",
    tags=_ACTIONS,
    responses={200: documents.ActionResult, **_REFUSALS},
)
def act_on_request_set(path: ActionPath) -> Response:
    """Do something to one request set."""
    row, tools, by = find_row(path.number), parts().tools, actor()
    done = attempt(
        lambda: perform.perform(tools, row, path.action, by=by), account_id=row.account_id
    )
    return _result(path.action, done)


@blueprint.post(
    "/request-sets/<number>/adopt",
    tags=_ACTIONS,
    responses={200: documents.ActionResult, **_REFUSALS},
)
def adopt_request_set(path: NumberPath, body: AdoptBody) -> Response:
    """Say which set at Facebook a set without an outcome is."""
    row, tools, by = find_row(path.number), parts().tools, actor()
    done = attempt(
        lambda: perform.adopt(tools, row, facebook_id=body.facebook_id, by=by),
        account_id=row.account_id,
    )
    return _result("adopt", done)


@blueprint.post(
    "/request-sets/<number>/abandon",
    tags=_ACTIONS,
    responses={200: documents.ActionResult, **_REFUSALS},
)
def abandon_request_set(path: NumberPath, body: AbandonBody) -> Response:
    """Give up a set without an outcome: it is never sent again."""
    row, tools, by = find_row(path.number), parts().tools, actor()
    done = attempt(
        lambda: perform.abandon(tools, row, reason=body.reason, by=by), account_id=row.account_id
    )
    return _result("abandon", done)


@blueprint.post(
    "/accounts/<account>/retry",
    tags=_ACTIONS,
    responses={200: documents.ActionResult, **refusals(403, 404)},
)
def retry_account(path: AccountPath) -> Response:
    """Ask Facebook again for an account that waits, or that was parked until a person acted."""
    if path.account not in holder().account_ids:
        raise Problem(404, f"act_{path.account} is not an account of yours.")
    done = perform.retry_account(parts().tools, path.account, by=actor())
    return _result("retry", done)


@blueprint.post("/plans", tags=_ACTIONS, responses={201: documents.NewPlan, **refusals(403)})
def make_plan(body: PlanBody) -> Response:
    """Plan an action on many sets: nothing is done before it is confirmed."""
    planned = bulk.make(
        parts().tools,
        body.action,
        set_filter(body.filters),
        detail=plan_words.of_filters(body.filters),
        by=actor(),
    )
    return answer(documents.NewPlan.model_validate(new_plan(planned)), status=201)


@blueprint.get("/plans/<plan>", tags=_ACTIONS, responses={200: documents.Plan, **refusals(404)})
def show_plan(path: PlanPath) -> Response:
    """Show how far a plan is."""
    return _plan(path.plan)


def _plan(plan_id: str) -> Response:
    with parts().database.reading() as session:
        found = action_plans.find(session, plan_id, by=actor())
        items = action_plans.items(session, plan_id, limit=_ITEMS_SHOWN)
    if found is None:
        raise Problem(404, "There is no such plan of yours.")
    return answer(documents.Plan.model_validate({**found, "items": items}))


@blueprint.post(
    "/plans/<plan>/confirm",
    tags=_ACTIONS,
    responses={200: documents.Plan, **refusals(403, 404, 409)},
)
def confirm_plan(path: PlanPath) -> Response:
    """Let a plan be done: the worker acts on one set after another."""
    with parts().database.reading() as session:
        if action_plans.find(session, path.plan, by=actor()) is None:
            raise Problem(404, "There is no such plan of yours.")
    try:
        bulk.confirm(parts().tools, path.plan, by=actor())
    except CannotConfirm as error:
        raise Problem(409, str(error)) from error
    return _plan(path.plan)


def find_row(number: int) -> RequestSet:
    """Return a set of the key's accounts. Raises Problem."""
    with parts().database.reading() as session:
        row = reports.find_row(session, number)
    if row is None or row.account_id not in holder().account_ids:
        raise Problem(404, f"There is no request set {number} in your accounts.")
    return row


def attempt(do: Callable[[], Done], *, account_id: int) -> Done:
    """Act, and word what goes wrong. Raises Problem."""
    try:
        with outgoing_slots().slot(account_id):
            return do()
    except Refused as error:
        raise Problem(409, str(error)) from error
    except NoSlot as error:
        raise Problem(503, "Too many calls wait for Facebook: try again.") from error
    except NoPoints as error:
        seconds = max(1, round((error.resume_at - parts().now()).total_seconds()))
        detail = f"{error} Try again in {seconds} seconds."
        raise Problem(429, detail, headers={"Retry-After": str(seconds)}) from error
    except CallFailed as error:
        raise Problem(502, f"Facebook did not do it: {error}") from error
    except CannotOpen as error:
        raise Problem(503, "The account's credential cannot be opened: see the log.") from error


def new_plan(planned: Planned) -> dict[str, Any]:
    """Return a plan as its document."""
    return {
        **vars(planned),
        "id": planned.plan_id,
        "action": planned.action.name,
        "means": planned.action.means,
        "by_account": {f"act_{one}": count for one, count in planned.by_account.items()},
    }


def _result(action: str, done: Done) -> Response:
    result = {"action": action, "outcome": "done", **vars(done)}
    return answer(documents.ActionResult.model_validate(result))
