"""How a call is answered that a rule of trouble took."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from receiver.sandbox.calls import errors
from receiver.sandbox.calls.messages import Answer, json_bytes
from receiver.sandbox.state import Sandbox, wait_seconds
from receiver.sandbox.troubles.limits import limit_fault
from receiver.sandbox.troubles.trouble import TroubleRule


def suffer(sandbox: Sandbox, rule: TroubleRule, perform: Callable[[], Answer]) -> Answer:
    """Answer a call that a rule of trouble took."""
    if rule.effect == "before":
        answer = perform()
    if rule.kind == "slow":
        wait_seconds(rule.seconds)
    if rule.kind == "hold":
        sandbox.hold()
    if rule.effect == "after":
        answer = perform()
    if rule.kind in ("slow", "hold"):
        return answer
    if rule.kind == "cut":
        return replace(answer, ending="cut")
    return _ANSWERS[rule.kind](rule)


def _graph_error(rule: TroubleRule) -> Answer:
    return _fault(rule).answer()


def _error_in_200(rule: TroubleRule) -> Answer:
    return Answer(200, json_bytes(_fault(rule).body()))


def _fault(rule: TroubleRule) -> errors.GraphFault:
    return errors.GraphFault(
        rule.message,
        rule.code,
        type=rule.type,
        subcode=rule.subcode,
        http_status=rule.http_status,
        is_transient=rule.is_transient,
    )


def _http_error(rule: TroubleRule) -> Answer:
    page = f"<!DOCTYPE html><html><body><h1>{rule.status} Sorry, something went wrong.</h1></body>"
    return Answer(rule.status, f"{page}</html>".encode(), content_type="text/html; charset=utf-8")


def _dropped(_rule: TroubleRule) -> Answer:
    return Answer(200, b"", ending="dropped")


_ANSWERS: dict[str, Callable[[TroubleRule], Answer]] = {
    "graph_error": _graph_error,
    "error_in_200": _error_in_200,
    "http_error": _http_error,
    "not_json": lambda _: Answer(200, b"for (;;);", content_type="text/plain; charset=utf-8"),
    "no_id": lambda _: Answer(200, b"{}"),
    "null": lambda _: Answer(200, b"null"),
    "reset": _dropped,
    "commit_then_drop": _dropped,
    "throttle": lambda rule: limit_fault(rule.code).answer(),
}
