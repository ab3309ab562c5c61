"""The dashboard's buttons: each does what the API's action of that name does."""

from __future__ import annotations

from typing import get_args

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from receiver.lifecycle.actions.outcome import Done
from receiver.lifecycle.bulk import Planned
from receiver.web.admin import acting
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
    planned = acting.plan(action, asked.read(SetFilters))
    flash(_in_words(planned), "info")
    return redirect(url_for("dashboard.plan", plan=planned.plan_id))


def _in_words(planned: Planned) -> str:
    sets = words.counted(planned.sets, "set")
    sentences = [
        f"It touches {sets}, costs {planned.points:,} points of the limits",
        f"and takes about {planned.seconds:,.0f} seconds.",
    ]
    if planned.skipped:
        left_out = words.counted(planned.skipped, "set")
        sentences.append(f"Left out: {left_out} to which it cannot be done.")
    if planned.is_cut:
        sentences.append("More sets meet the filters: plan again for the rest.")
    return " ".join(sentences)


@blueprint.post("/plans/<plan>/confirm")
def confirm_plan(plan: str) -> Response:
    """Let a plan be done."""
    wanted = PlanPath(plan=plan).plan
    acting.confirm(wanted)
    flash("Confirmed: the worker acts on one set after another.", "success")
    return redirect(url_for("dashboard.plan", plan=wanted))


def _shown(done: Done, *, number: int) -> Response:
    flash(done.note, "success")
    return redirect(url_for("dashboard.request_set", number=number))
