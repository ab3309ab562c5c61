"""The dashboard's buttons: each does what the API's action of that name does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args
from urllib.parse import urlencode

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from receiver.lifecycle.actions.outcome import Done
from receiver.lifecycle.choosing import Planned
from receiver.web.admin import acting
from receiver.web.admin.acting import Made
from receiver.web.admin.parameters import (
    AbandonBody,
    AccountPath,
    ActionName,
    AdoptBody,
    PlanPath,
    SetFilters,
)
from receiver.web.admin.problems import Problem
from receiver.web.dashboard import asked, words
from receiver.web.dashboard.blueprint import blueprint

_REST = "rest"
"""The parameter of a plan's page that says where to plan the rest from."""


@blueprint.post("/request-sets/<number>/actions/<action>")
def act_on_set(number: str, action: str) -> Response:
    """Do something to one set, and show it again with what was done."""
    if action not in get_args(ActionName):
        raise Problem(404, f"There is no action {action}.")
    wanted = asked.number(number)
    done = acting.act(wanted, action)
    return _shown(done, number=done.request_set_id or wanted)


@blueprint.post("/request-sets/<number>/adopt")
def adopt(number: str) -> Response:
    """Say which set at Facebook a set without an outcome is."""
    body = AdoptBody.model_validate({"facebook_id": request.form.get("facebook_id", "")})
    wanted = asked.number(number)
    return _shown(acting.adopt(wanted, facebook_id=body.facebook_id), number=wanted)


@blueprint.post("/request-sets/<number>/abandon")
def abandon(number: str) -> Response:
    """Give up a set without an outcome."""
    body = AbandonBody.model_validate({"reason": request.form.get("reason", "")})
    wanted = asked.number(number)
    return _shown(acting.abandon(wanted, reason=body.reason), number=wanted)


@blueprint.post("/accounts/<account>/retry")
def retry_account(account: str) -> Response:
    """Ask Facebook again for an account that waits."""
    wanted = AccountPath.model_validate({"account": account}).account
    flash(acting.retry(wanted).note, "success")
    return redirect(url_for("dashboard.accounts"))


@blueprint.post("/plans")
def make_plan() -> Response:
    """Plan an action on the sets that a list shows, by the filters in its URL."""
    action = request.form.get("action", "")
    if action not in get_args(ActionName):
        raise Problem(400, "Choose what is to be done to these sets.")
    cursor = request.form.get("cursor") or None
    made = acting.plan(action, asked.read(SetFilters), cursor=cursor)
    flash(_in_words(made.planned), "info")
    return redirect(_url_of_planned(made))


def _in_words(planned: Planned) -> str:
    if planned.note:
        return planned.note
    sets = words.counted(planned.sets, "set")
    at_least = "at least " if planned.action.may_cost_more else ""
    sentences = [
        f"It touches {sets}, costs {at_least}{planned.points:,} points of the limits",
        f"and takes about {planned.seconds:,.0f} seconds.",
        "Sets to which it cannot be done are left out.",
    ]
    if planned.next_key:
        sentences.append("More sets may meet the filters: plan the rest, too.")
    return " ".join(sentences)


def _url_of_planned(made: Made) -> str:
    """Return where a plan is shown; of one that could not take all, with what the rest needs."""
    url = url_for("dashboard.plan", plan=made.planned.plan_id)
    if made.next_cursor is None:
        return url
    return f"{url}?{urlencode([*request.args.items(multi=True), (_REST, made.next_cursor)])}"


@dataclass(frozen=True)
class Rest:
    """What one plan could not take: the URL that plans it, and the cursor to go on from."""

    url: str
    cursor: str


def rest_of_plan() -> Rest | None:
    """Return what the plan of the present page could not take; None where it took all."""
    cursor = request.args.get(_REST)
    if cursor is None:
        return None
    filters = [one for one in request.args.items(multi=True) if one[0] != _REST]
    return Rest(f"{url_for('dashboard.make_plan')}?{urlencode(filters)}", cursor=cursor)


@blueprint.post("/plans/<plan>/confirm")
def confirm_plan(plan: str) -> Response:
    """Let a plan be done."""
    wanted = PlanPath(plan=plan).plan
    acting.confirm(wanted)
    flash("Confirmed: the worker acts on one set after another.", "success")
    return redirect(url_for("dashboard.plan", plan=wanted))


@blueprint.post("/plans/<plan>/stop")
def stop_plan(plan: str) -> Response:
    """Leave what a plan has not done yet."""
    wanted = PlanPath(plan=plan).plan
    acting.stop(wanted)
    flash("Stopped: what was not done yet is left.", "success")
    return redirect(url_for("dashboard.plan", plan=wanted))


def _shown(done: Done, *, number: int) -> Response:
    flash(done.note, "success")
    return redirect(url_for("dashboard.request_set", number=number))
