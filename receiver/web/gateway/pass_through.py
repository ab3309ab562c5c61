"""Every other call: passed on to Facebook with the credential of the caller's key."""

from __future__ import annotations

import json
from urllib.parse import quote

from receiver.graph.errors import CallFailed, NotSent
from receiver.graph.passing import PassedAnswer, PassedCall
from receiver.graph.usage import HEADERS as USAGE_HEADERS
from receiver.store.keys import Caller
from receiver.web.context import parts
from receiver.web.gateway import access, faults, limits, outgoing
from receiver.web.gateway.answer import JSON_TYPE, NEVER_CACHED, Answer
from receiver.web.gateway.call import GraphCall
from receiver.web.gateway.faults import Fault

_OK = 200

SENT_HEADERS = frozenset(
    {
        "accept",
        "accept-language",
        "if-modified-since",
        "if-none-match",
        "range",
        "x-entity-length",
        "x-entity-name",
        "x-entity-type",
    }
)
"""What goes along of a caller's headers, beside the content type."""

_ANSWER_HEADERS = USAGE_HEADERS | {
    "access-control-allow-origin",
    "cache-control",
    "content-disposition",
    "content-range",
    "etag",
    "expires",
    "facebook-api-version",
    "last-modified",
    "location",
    "pragma",
    "retry-after",
    "www-authenticate",
    "x-fb-debug",
    "x-fb-request-id",
    "x-fb-rev",
    "x-fb-trace-id",
}
"""What comes back of Facebook's."""


def answer(call: GraphCall, holder: Caller) -> Answer:
    """Pass a call on and answer what Facebook answers.

    Raises Fault, Refused, CannotOpen, DatabaseAway.
    """
    account_id = access.allow(call, holder)
    limits.check(account_id, holder)
    try:
        passed = outgoing.send(
            passed_call(call),
            holder,
            account_id=account_id,
            key=call.key if call.is_key_in_query else None,
            deadline_seconds=_deadline_seconds(call),
        )
    except CallFailed as failure:
        raise _failed(call, failure) from failure
    return _only_own_accounts(call, holder, facebooks_answer(passed))


def passed_call(call: GraphCall) -> PassedCall:
    """Return a call as it goes on: what its caller sent, without what named the caller."""
    path = "/".join((*([call.version] if call.version else []), call.path))
    return PassedCall(
        method=call.sent_method,
        path=quote(path, safe="/:", errors="replace"),
        query=call.query,
        form=call.body.form,
        files=call.body.files,
        data=call.body.data,
        content_type=call.body.content_type,
        headers={name: call.headers[name] for name in call.headers if name in SENT_HEADERS},
    )


def _deadline_seconds(call: GraphCall) -> float | None:
    is_upload = call.body.files or not isinstance(call.body.data, bytes)
    return parts().settings.upload_deadline_seconds if is_upload else None


def facebooks_answer(passed: PassedAnswer) -> Answer:
    """Return what Facebook answered, with those of its headers that come back."""
    kept = [pair for pair in passed.headers.items() if pair[0].lower() in _ANSWER_HEADERS]
    if not any(name.lower() == "cache-control" for name, _ in kept):
        kept.append(("Cache-Control", NEVER_CACHED))
    return Answer(
        passed.http_status,
        passed.body,
        (*kept, ("X-Receiver-Source", "graph")),
        content_type=passed.headers.get("Content-Type", JSON_TYPE),
        stream=passed.stream,
    )


def _failed(call: GraphCall, failure: CallFailed) -> Fault:
    """Say what became of a call that got no usable answer."""
    if isinstance(failure, NotSent):
        return faults.service_away(f"Facebook could not be reached: {failure}")
    if call.method == "GET":
        return faults.service_away(f"Facebook's answer did not come: {failure}")
    return faults.outcome_unknown(str(failure))


def _only_own_accounts(call: GraphCall, holder: Caller, answer: Answer) -> Answer:
    """Take the accounts out of ``me/adaccounts`` that the key may not use."""
    if call.segments != ("me", "adaccounts") or answer.status != _OK:
        return answer
    shown = json.loads(answer.body)
    allowed = {f"act_{account_id}" for account_id in holder.account_ids}
    shown["data"] = [each for each in shown["data"] if each.get("id") in allowed]
    headers = tuple(pair for pair in answer.headers if pair[0].lower() != "etag")
    return Answer(answer.status, json.dumps(shown).encode("ascii"), headers)
