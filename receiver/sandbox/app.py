"""One call in, one answer out: the sandbox without its socket."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable
from dataclasses import replace

from receiver.graph import serve
from receiver.graph.serve import BadParameter
from receiver.sandbox import views
from receiver.sandbox.arrival import arrive, headers_of_usage
from receiver.sandbox.calls import access, errors
from receiver.sandbox.calls.batches import answer_batch
from receiver.sandbox.calls.graph_call import GraphCall, read_graph_call
from receiver.sandbox.calls.messages import Answer, Call, json_bytes
from receiver.sandbox.control import answer_control
from receiver.sandbox.state import Sandbox, wait_seconds
from receiver.sandbox.suffering import suffer

_log = logging.getLogger(__name__)


def answer_call(sandbox: Sandbox, call: Call) -> Answer:
    """Answer any call. What is wrong with it is said in a Graph error, whatever it was."""
    try:
        if call.path == "/sandbox" or call.path.startswith("/sandbox/"):
            return answer_control(sandbox, call)
        return _answer_graph(sandbox, call)
    except Exception:  # noqa: BLE001  # a fault of ours is a Graph error too, never a traceback
        _log.exception("The sandbox failed at a call.")
        return errors.unknown_error().answer()


def _answer_graph(sandbox: Sandbox, call: Call) -> Answer:
    """Answer a Graph call, or an operation of a batch."""
    graph_call = read_graph_call(call)
    with sandbox.scene() as scene:
        arrival = arrive(scene, graph_call, now=sandbox.clock())
    wait_seconds(arrival.latency_seconds)

    def perform() -> Answer:
        return _perform(sandbox, call, graph_call, arrival.accounts)

    answer = perform() if arrival.rule is None else suffer(sandbox, arrival.rule, perform)
    with sandbox.scene() as scene:
        usage = headers_of_usage(scene, graph_call, arrival.accounts, now=sandbox.clock())
    return replace(answer, headers=(*answer.headers, *_headers(graph_call, answer), *usage))


def _perform(
    sandbox: Sandbox, call: Call, graph_call: GraphCall, accounts: Iterable[str | None]
) -> Answer:
    """Let the call take effect; what is wrong with it is answered by a Graph error."""
    try:
        _check_access(sandbox, graph_call, accounts)
        if graph_call.is_batch:
            return _answer_batch(sandbox, call, graph_call)
        return _answer_one(sandbox, graph_call)
    except BadParameter as error:
        return errors.bad_parameter(error).answer()
    except errors.GraphFault as fault:
        return fault.answer()


def _answer_batch(sandbox: Sandbox, call: Call, graph_call: GraphCall) -> Answer:
    with sandbox.scene() as scene:
        behaviour = scene.batches
    return answer_batch(
        call, graph_call, behaviour=behaviour, answer=lambda one: answer_call(sandbox, one)
    )


def _answer_one(sandbox: Sandbox, call: GraphCall) -> Answer:
    """Answer a single call, after what has to be sent before its answer."""
    with sandbox.scene() as scene:
        result = views.answer(scene.world, scene.overrides, call, now=sandbox.clock())
        jobs = scene.world.notifications.take_immediate()
    for job in jobs:
        sandbox.deliver(job)
    body = json_bytes(result, pretty=call.wants_pretty)
    return _with_etag(call, body) if call.is_read else Answer(200, body)


def _with_etag(call: GraphCall, body: bytes) -> Answer:
    """Answer a read: in full with its ETag, or 304 without either (Facebook's page, "ETags")."""
    tag = serve.etag(body)
    if serve.is_unchanged(tag, if_none_match=call.headers.get("if-none-match", "")):
        return Answer(serve.NOT_MODIFIED, b"")
    return Answer(200, body, (("ETag", tag),))


def _check_access(sandbox: Sandbox, call: GraphCall, accounts: Iterable[str | None]) -> None:
    access.check_version(call.version)
    if call.unreadable is not None:
        raise call.unreadable
    if call.is_crash_report:
        return
    with sandbox.scene() as scene:
        world = scene.world
        access.check_token(call.token, tokens=world.tokens, is_strict=world.is_strict)
        token = world.tokens.get(call.token)
        if token is not None:
            access.check_accounts(token, accounts)
    if sandbox.app_secret is not None:
        access.check_proof(
            call.parameters, token=call.token, app_secret=sandbox.app_secret, now=sandbox.clock()
        )


def _headers(call: GraphCall, answer: Answer) -> tuple[tuple[str, str], ...]:
    """Return the headers of every Graph answer (the facts, section 4).

    An operation of a batch has none that names it: those were never seen there (section 3).
    """
    is_error = answer.status >= 400  # noqa: PLR2004  # where HTTP's errors begin
    headers = (
        ("facebook-api-version", call.version),
        ("Cache-Control", "no-store" if is_error else _NO_CACHE),
        ("Pragma", "no-cache"),
        ("Expires", "Sat, 01 Jan 2000 00:00:00 GMT"),
        ("Access-Control-Allow-Origin", "*"),
    )
    if call.is_operation:
        return headers
    return (
        *headers,
        ("x-fb-trace-id", secrets.token_urlsafe(8)),
        ("x-fb-request-id", secrets.token_urlsafe(16)),
        ("x-fb-rev", "1000000000"),
        ("x-fb-debug", secrets.token_urlsafe(32)),
    )


_NO_CACHE = "private, no-cache, no-store, must-revalidate"
