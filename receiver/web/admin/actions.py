"""The actions of the admin API: on one set, on an account, or on many sets by a plan."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_openapi.models.tag import Tag

from receiver.lifecycle.actions.outcome import Done
from receiver.web.admin import acting, documents, reading
from receiver.web.admin.acting import Made
from receiver.web.admin.api import answer, blueprint, refusals
from receiver.web.admin.parameters import (
    AbandonBody,
    AccountPath,
    ActionPath,
    AdoptBody,
    NumberPath,
    PlanBody,
    PlanPath,
)

_ACTIONS: list[Tag | dict[str, Any]] = [
    Tag(name="Actions", description="Each is kept in the audit log. They need a key that may act.")
]
_REFUSALS = refusals(403, 404, 409, 429, 502)


@blueprint.post(
    "/request-sets/<number>/actions/<action>",
    tags=_ACTIONS,
    responses={200: documents.ActionResult, **_REFUSALS},
)
def act_on_request_set(path: ActionPath) -> Response:
    """Do something to one request set."""
    return _result(path.action, acting.act(path.number, path.action))


@blueprint.post(
    "/request-sets/<number>/adopt",
    tags=_ACTIONS,
    responses={200: documents.ActionResult, **_REFUSALS},
)
def adopt_request_set(path: NumberPath, body: AdoptBody) -> Response:
    """Say which set at Facebook a set without an outcome is."""
    return _result("adopt", acting.adopt(path.number, facebook_id=body.facebook_id))


@blueprint.post(
    "/request-sets/<number>/abandon",
    tags=_ACTIONS,
    responses={200: documents.ActionResult, **_REFUSALS},
)
def abandon_request_set(path: NumberPath, body: AbandonBody) -> Response:
    """Give up a set without an outcome: it is never sent again."""
    return _result("abandon", acting.abandon(path.number, reason=body.reason))


@blueprint.post(
    "/accounts/<account>/retry",
    tags=_ACTIONS,
    responses={200: documents.ActionResult, **refusals(403, 404)},
)
def retry_account(path: AccountPath) -> Response:
    """Ask Facebook again for an account that waits, or that was parked until a person acted."""
    return _result("retry", acting.retry(path.account))


@blueprint.post("/plans", tags=_ACTIONS, responses={201: documents.NewPlan, **refusals(403)})
def make_plan(body: PlanBody) -> Response:
    """Plan an action on many sets: nothing is done before it is confirmed."""
    made = acting.plan(body.action, body.filters, cursor=body.cursor)
    return answer(documents.NewPlan.model_validate(_new_plan(made)), status=201)


@blueprint.get("/plans/<plan>", tags=_ACTIONS, responses={200: documents.Plan, **refusals(404)})
def show_plan(path: PlanPath) -> Response:
    """Show how far a plan is."""
    return answer(reading.read_plan(path.plan))


@blueprint.post(
    "/plans/<plan>/confirm",
    tags=_ACTIONS,
    responses={200: documents.Plan, **refusals(403, 404, 409)},
)
def confirm_plan(path: PlanPath) -> Response:
    """Let a plan be done: the worker acts on one set after another."""
    acting.confirm(path.plan)
    return answer(reading.read_plan(path.plan))


@blueprint.post(
    "/plans/<plan>/stop",
    tags=_ACTIONS,
    responses={200: documents.Plan, **refusals(403, 404, 409)},
)
def stop_plan(path: PlanPath) -> Response:
    """Leave what a confirmed plan has not done yet; a set that is being acted on is finished."""
    acting.stop(path.plan)
    return answer(reading.read_plan(path.plan))


def _new_plan(made: Made) -> dict[str, Any]:
    """Return a plan as its document."""
    planned = made.planned
    return {
        **vars(planned),
        "id": planned.plan_id,
        "action": planned.action.name,
        "means": planned.action.means,
        "by_account": {f"act_{one}": count for one, count in planned.by_account.items()},
        "next_cursor": made.next_cursor,
    }


def _result(action: str, done: Done) -> Response:
    result = {"action": action, "outcome": "done", **vars(done)}
    return answer(documents.ActionResult.model_validate(result))
