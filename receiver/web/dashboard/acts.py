"""The dashboard's buttons: each does what the API's action of that name does."""

from __future__ import annotations

from typing import get_args

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from receiver.lifecycle import bulk
from receiver.lifecycle.actions import perform
from receiver.lifecycle.actions.outcome import Done
from receiver.lifecycle.bulk import CannotConfirm
from receiver.web.admin import plan_words, reading
from receiver.web.admin.actions import attempt, find_row
from receiver.web.admin.holder import actor, holder
from receiver.web.admin.parameters import (
    AbandonBody,
    AccountPath,
    ActionName,
    AdoptBody,
    NumberPath,
    PlanPath,
    SetFilters,
)
from receiver.web.admin.problems import Problem
from receiver.web.context import parts
from receiver.web.dashboard import asked, words
from receiver.web.dashboard.blueprint import blueprint


@blueprint.post("/request-sets/<number>/actions/<action>")
def act_on_set(number: str, action: str) -> Response:
    """Do something to one set, and show it again with what was done."""
    if action not in get_args(ActionName):
        raise Problem(404, f"There is no action {action}.")
    row, tools, by = find_row(_number(number)), parts().tools, actor()
    done = attempt(lambda: perform.perform(tools, row, action, by=by), account_id=row.account_id)
    return _shown(done, number=done.request_set_id or row.id)


@blueprint.post("/request-sets/<number>/adopt")
def adopt(number: str) -> Response:
    """Say which set at Facebook a set without an outcome is."""
    body = AdoptBody.model_validate({"facebook_id": request.form.get("facebook_id", "")})
    row, tools, by = find_row(_number(number)), parts().tools, actor()
    done = attempt(
        lambda: perform.adopt(tools, row, facebook_id=body.facebook_id, by=by),
        account_id=row.account_id,
    )
    return _shown(done, number=row.id)


@blueprint.post("/request-sets/<number>/abandon")
def abandon(number: str) -> Response:
    """Give up a set without an outcome."""
    body = AbandonBody.model_validate({"reason": request.form.get("reason", "")})
    row, tools, by = find_row(_number(number)), parts().tools, actor()
    done = attempt(
        lambda: perform.abandon(tools, row, reason=body.reason, by=by), account_id=row.account_id
    )
    return _shown(done, number=row.id)


@blueprint.post("/accounts/<account>/retry")
def retry_account(account: str) -> Response:
    """Ask Facebook again for an account that waits."""
    wanted = AccountPath.model_validate({"account": account}).account
    if wanted not in holder().account_ids:
        raise Problem(404, f"act_{wanted} is not an account of yours.")
    flash(perform.retry_account(parts().tools, wanted, by=actor()).note, "success")
    return redirect(url_for("dashboard.accounts"))


@blueprint.post("/plans")
def make_plan() -> Response:
    """Plan an action on the sets that a list shows, by the filters in its URL."""
    action = request.form.get("action", "")
    if action not in get_args(ActionName):
        raise Problem(400, "Choose what is to be done to these sets.")
    filters = asked.read(SetFilters)
    planned = bulk.make(
        parts().tools,
        action,
        reading.set_filter(filters),
        detail=plan_words.of_filters(filters),
        by=actor(),
    )
    flash(_in_words(planned), "info")
    return redirect(url_for("dashboard.plan", plan=planned.plan_id))


def _in_words(planned: bulk.Planned) -> str:
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
    try:
        bulk.confirm(parts().tools, wanted, by=actor())
    except CannotConfirm as error:
        raise Problem(409, str(error)) from error
    flash("Confirmed: the worker acts on one set after another.", "success")
    return redirect(url_for("dashboard.plan", plan=wanted))


def _shown(done: Done, *, number: int) -> Response:
    flash(done.note, "success")
    return redirect(url_for("dashboard.request_set", number=number))


def _number(text: str) -> int:
    return NumberPath.model_validate({"number": text}).number
