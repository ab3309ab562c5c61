"""Examine what Facebook says: of each account's token, and what time it is there."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import partial

from receiver.assembly import Parts
from receiver.cli.doctor.finding import Finding, Step, failed, skipped, warning, well
from receiver.crypto import CannotOpen
from receiver.graph.errors import Advice, CallFailed, GraphError
from receiver.graph.tokens import TokenShown
from receiver.lifecycle.tools import credential_of
from receiver.store import accounts, waits
from receiver.store.waits import Wait

_CLOCK, _ACCOUNTS = "clock", "accounts"
_CLOCK_LIMIT = timedelta(seconds=30)
_EXPIRY_MARGIN = timedelta(days=7)
_NEEDED_SCOPE = "ads_management"
_NAMED_MOST = 3


class Facebook:
    """The steps: one for each token, however many accounts share it, and one for the clock."""

    def __init__(self, parts: Parts, account_ids: Collection[int]) -> None:
        self._parts = parts
        self._account_ids = account_ids
        self._ahead: timedelta | None = None
        self._is_silent = False

    def steps(self) -> list[Step]:
        """Return what is to be examined, in its order. Raises DatabaseAway."""
        shared, unknown = self._accounts()
        tokens = [
            Step(f"token of {_named(ids)}", partial(self._examine_token, ids)) for ids in shared
        ]
        others = [Step(_ACCOUNTS, partial(_tell_unknown, unknown))] if unknown else []
        if not tokens and not others:
            others = [Step(_ACCOUNTS, _tell_none)]
        return [*others, *tokens, Step(_CLOCK, self._examine_clock)]

    def _accounts(self) -> tuple[list[list[int]], list[int]]:
        """Return the accounts that are known, those that share a token together, and the others."""
        with self._parts.database.reading() as session:
            asked = sorted(self._account_ids) or accounts.all_ids(session)
            known = accounts.credential_ids(session, asked)
        by_credential: dict[int, list[int]] = {}
        for account_id in asked:
            if account_id in known:
                by_credential.setdefault(known[account_id], []).append(account_id)
        return list(by_credential.values()), [each for each in asked if each not in known]

    def _examine_token(self, account_ids: Sequence[int]) -> list[Finding]:
        check, tools = f"token of {_named(account_ids)}", self._parts.tools
        waiting = self._waiting(account_ids)
        if self._is_silent:
            return [*waiting, skipped(check, "Not examined: Facebook did not answer before.")]
        if len(waiting) == len(account_ids):
            # Whoever calls while an account is blocked lengthens the block.
            return [*waiting, skipped(check, "Not examined: its accounts have to wait.")]
        began = tools.now()
        try:
            answered = tools.client.read_token(credential_of(tools, account_ids[0]))
        except CannotOpen as error:
            advice = "Put the key that sealed it back into RECEIVER_SECRET_KEYS."
            return [*waiting, failed(check, str(error), advice=advice)]
        except CallFailed as failure:
            self._note_date(failure.date, began=began)
            return [*waiting, self._judge_failure(check, failure, account_ids)]
        self._note_date(answered.date, began=began)
        return [*waiting, _judge(check, answered.value, account_ids, now=tools.now())]

    def _waiting(self, account_ids: Sequence[int]) -> list[Finding]:
        now = self._parts.now()
        with self._parts.database.reading() as session:
            found = {each: waits.of_account(session, each, now=now) for each in account_ids}
        return [_judge_wait(each, wait) for each, wait in found.items() if wait is not None]

    def _judge_failure(
        self, check: str, failure: CallFailed, account_ids: Sequence[int]
    ) -> Finding:
        if not isinstance(failure, GraphError):
            self._is_silent = True
            advice = "Check RECEIVER_GRAPH_URL, and that this machine may call Facebook."
            return failed(check, str(failure), advice=advice)
        if failure.advice is Advice.ASK_A_PERSON:
            return failed(check, str(failure), advice=_replace(account_ids))
        advice = "Look at the token in Facebook's own access token tool."
        return warning(check, f"Facebook does not show it: {failure}", advice=advice)

    def _note_date(self, date: datetime | None, *, began: datetime) -> None:
        if date is not None:
            # The header holds whole seconds, and was written between the call and its answer.
            self._ahead = began + (self._parts.now() - began) / 2 - date

    def _examine_clock(self) -> list[Finding]:
        if self._ahead is None:
            return [skipped(_CLOCK, "Not examined: no answer of Facebook's shows its time.")]
        seconds = abs(self._ahead.total_seconds())
        direction = "ahead of" if self._ahead > timedelta(0) else "behind"
        if abs(self._ahead) <= _CLOCK_LIMIT:
            return [well(_CLOCK, f"It is {seconds:.0f} s {direction} Facebook's.")]
        advice = "Let this machine keep its time by NTP."
        return [warning(_CLOCK, f"It is {seconds:.0f} s {direction} Facebook's.", advice=advice)]


def not_examined() -> list[Finding]:
    """Say that nothing of it could be examined."""
    return [skipped(_ACCOUNTS, "Not examined: they stand in the database.")]


def _judge(check: str, shown: TokenShown, account_ids: Sequence[int], *, now: datetime) -> Finding:
    """Say how it stands with a token that Facebook describes."""
    if not shown.is_valid:
        found = f"It is not valid: {shown.problem or 'Facebook does not say why'}"
        return failed(check, found, advice=_replace(account_ids))
    if _NEEDED_SCOPE not in shown.scopes:
        advice = f"Make one that is granted {_NEEDED_SCOPE}. {_replace(account_ids)}"
        return failed(check, f"It is valid, and lacks {_NEEDED_SCOPE}.", advice=advice)
    if shown.ends_at is None:
        return well(check, "It is valid, and does not expire.")
    found = f"It is valid, and expires at {shown.ends_at:%Y-%m-%d %H:%M} UTC."
    if shown.ends_at - now < _EXPIRY_MARGIN:
        return warning(check, found, advice=_replace(account_ids))
    return well(check, found)


def _judge_wait(account_id: int, wait: Wait) -> Finding:
    check = f"account act_{account_id}"
    if wait.parked_reason is None:
        return skipped(check, f"Facebook asked to wait until {wait.resume_at:%Y-%m-%d %H:%M} UTC.")
    advice = (
        f"Mend that, then run 'receiver account resume act_{account_id}'; where the token is out "
        "of date, replace it with 'receiver account add'."
    )
    return failed(check, f"It is parked: {wait.parked_reason}", advice=advice)


def _tell_unknown(account_ids: Sequence[int]) -> list[Finding]:
    advice = "Add it with 'receiver account add'."
    return [
        failed(f"account act_{each}", "Nobody added it.", advice=advice) for each in account_ids
    ]


def _tell_none() -> list[Finding]:
    advice = "Add one with 'receiver account add'."
    return [warning(_ACCOUNTS, "There is no account yet.", advice=advice)]


def _replace(account_ids: Sequence[int]) -> str:
    named = " ".join(f"act_{each}" for each in account_ids[:_NAMED_MOST])
    more = " …" if len(account_ids) > _NAMED_MOST else ""
    return f"Replace it: 'receiver account add {named}{more} --token-stdin'."


def _named(account_ids: Sequence[int]) -> str:
    more = len(account_ids) - _NAMED_MOST
    named = ", ".join(f"act_{each}" for each in account_ids[:_NAMED_MOST])
    return f"{named} and {more} more" if more > 0 else named
