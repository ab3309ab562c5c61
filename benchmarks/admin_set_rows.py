"""The rows that one set of the population has in every table.

Campaigns end: an ad set has its requests within ten days, so that what is frequent in a table need
not be so among its newest rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from benchmarks.admin_population import NOW, Set
from benchmarks.loading import Row

_AD_SETS = 200
_CODES = (100, 190, 200, 2635, 1487390, 1885183, 1885316, 2490085, 1, 2, 4, 17, 80004, 368, 613)
_SPEC = json.dumps(
    {
        "name": "An ad of the spring sale",
        "adset_id": "6008248529789",
        "creative": {"creative_id": "6008248529790"},
        "status": "PAUSED",
    }
)
_SPEC_BYTES = _SPEC.encode()


def set_row(one: Set) -> dict[str, Any]:
    is_open, is_over = one.state in ("open", "completed"), one.state == "collected"
    due = NOW + timedelta(seconds=one.dice % 7200 - 600)
    # Of those without an end a few are late, and a few of them missing.
    deadline_at = due if is_open else one.created_at + timedelta(hours=1)
    counted = one.size if one.is_complete else None
    return {
        "account_id": one.account_id,
        "edge": "asyncadrequestsets" if one.dice % 10 else "asyncadcreatives",
        "name": f"Campaign {one.dice % 1000} of autumn, part {one.number}",
        "ad_specs": b"[" + b",".join([_SPEC_BYTES] * one.size) + b"]",
        "spec_count": one.size,
        "caller_notification_uri": "https://caller.example/done" if one.dice % 5 == 0 else None,
        "caller_notification_mode": "ON_COMPLETE" if one.dice % 5 == 0 else "OFF",
        "parameters_hash": one.dice.to_bytes(32),
        "parent_id": one.parent_id,
        "created_at": one.created_at,
        "deadline_at": deadline_at,
        "missing_at": deadline_at + timedelta(minutes=9),
        "state": one.state,
        "state_reason": None if is_open or is_over else "Facebook did not answer in time.",
        "attempt": 1,
        "doubled_at": one.completed_at if one.is_doubled else None,
        "error_http_status": 400 if one.state == "rejected" else None,
        "error_body": b'{"error":{"code":100}}' if one.state == "rejected" else None,
        "facebook_id": one.facebook_id,
        "owner_id": one.account_id,
        "is_completed": one.is_complete,
        "total_count": counted,
        "initial_count": 0 if one.is_complete else None,
        "in_progress_count": 0 if one.is_complete else None,
        "success_count": None if counted is None else counted - len(one.failed),
        "error_count": len(one.failed) if one.is_complete else None,
        "canceled_count": 0 if one.is_complete else None,
        "notification_status": "sent" if is_over else None,
        "notification_result": b"200" if is_over else None,
        "created_time": f"{one.created_at:%Y-%m-%dT%H:%M:%S+0000}",
        "updated_time": f"{one.completed_at:%Y-%m-%dT%H:%M:%S+0000}",
        "verdict": one.verdict,
        "learned_by": one.learned_by,
        "opened_at": None if one.facebook_id is None else one.created_at + timedelta(seconds=1),
        "completed_at": one.completed_at if one.is_complete else None,
        "collected_at": one.collected_at if is_over else None,
        "look_at": due if is_open or one.state == "unknown" else None,
        "looked_at": one.completed_at,
        "quiet_looks": 0,
    }


def submission_row(one: Set) -> dict[str, Any]:
    outcomes = {"rejected": "rejected", "unknown": "unknown", "stuck": "unknown"}
    return {
        "request_set_id": one.number,
        "attempt": 1,
        "send_before": one.created_at + timedelta(seconds=10),
        "answered_at": one.created_at + timedelta(seconds=1),
        "outcome": outcomes.get(one.state, "open"),
        "facebook_id": one.facebook_id,
        "created_at": one.created_at,
    }


def found_rows(one: Set) -> Iterator[dict[str, Any]]:
    if one.facebook_id is None:
        return
    for facebook_id in (one.facebook_id, one.facebook_id + 1)[: 1 + one.is_doubled]:
        yield {
            "request_set_id": one.number,
            "facebook_id": facebook_id,
            "attempt": 1,
            "found_at": one.created_at,
        }


def notification_row(one: Set) -> dict[str, Any]:
    return {
        "request_set_id": one.number,
        "account_id": one.account_id,
        "attempt": 1,
        "received_at": one.completed_at,
        "method": "POST",
        "remote_address": "2a03:2880:20ff:9::face:b00c",
        "query": "",
        "headers": '[["User-Agent","facebookexternalua"],["Accept","*/*"]]',
        "body": f'{{"async_request_set_id":"{one.facebook_id}"}}'.encode(),
        "body_cut": None,
        "repeats": 0,
        "applied_at": one.completed_at + timedelta(seconds=1),
    }


def look_row(one: Set, look: int) -> dict[str, Any]:
    kind, why = (("requests", "poll"), ("set", one.learned_by or "poll"), ("sweep", "poll"))[look]
    failed = look == 2 and one.dice % 7 == 0  # noqa: PLR2004  # the last of three
    return {
        "request_set_id": one.number,
        "account_id": one.account_id,
        "kind": kind,
        "why": why,
        "started_at": one.collected_at - timedelta(seconds=look),
        "duration_ms": 300 + one.dice % 400,
        "calls": 1,
        "rows": one.size if kind == "requests" else 0,
        "is_completed": one.is_complete,
        "verdict": one.verdict if kind == "requests" else None,
        "error_code": 2 if failed else None,
        "error": "Facebook answered 500." if failed else None,
    }


def delivery_row(one: Set) -> dict[str, Any]:
    state = "delivered" if one.dice % 100 else "failed"
    return {
        "request_set_id": one.number,
        "account_id": one.account_id,
        "message_id": f"msg_{one.dice}",
        "uri": "https://caller.example/done",
        "state": state,
        "attempts": 1,
        "send_at": None,
        "result_status": "200",
        "result_response": "ok",
        "created_at": one.collected_at,
        "ended_at": one.collected_at + timedelta(seconds=1),
    }


def audit_row(one: Set) -> dict[str, Any]:
    return {
        "at": one.collected_at + timedelta(hours=1),
        "actor": "key all",
        "api_key_id": None,
        "account_id": one.account_id,
        "request_set_id": one.number,
        "action": ("look", "collect", "resubmit")[one.dice % 3],
        "outcome": "done",
        "detail": "It is looked at now.",
    }


REQUEST_COLUMNS = (
    "id",
    "request_set_id",
    "account_id",
    "scope_object_id",
    "status",
    "is_final",
    "type",
    "result",
    "input",
    "created_object_id",
    "error_code",
    "error_message",
    "created_time",
    "updated_time",
    "read_at",
)


def request_rows(one: Set) -> Iterator[Row]:
    if not one.is_complete and one.state != "open":
        return
    failed = frozenset(one.failed)
    shared = (
        f"{one.created_at:%Y-%m-%dT%H:%M:%S+0000}",
        f"{one.completed_at:%Y-%m-%dT%H:%M:%S+0000}",
        one.collected_at,
    )
    status = "SUCCESS" if one.is_complete else "IN_PROGRESS"
    # A caller fills a few ad sets with one set, and a favourite one again and again.
    period = (NOW - one.created_at) // timedelta(days=10)
    ad_sets = [
        _AD_SETS * period + (one.dice >> shift) % _AD_SETS * ((one.dice >> shift) % 3 > 0)
        for shift in (0, 8, 16)
    ]
    for index in range(one.size):
        number, ad_set = (
            one.first_request + 7 * index,
            _first_ad_set(one.account_id) + ad_sets[index % 3],
        )
        key = (number, one.number, one.account_id, ad_set)
        if index in failed:
            yield (*key, "ERROR", True, "ADGROUP_CREATE", *_error(code_of(one, index)), *shared)
            continue
        made = number + 4 if one.is_complete else None
        result = b'{"id":"%d","success":true}' % made if made else None
        kind = (status, one.is_complete, "ADGROUP_CREATE")
        yield (*key, *kind, result, _SPEC_BYTES, made, None, None, *shared)


def _first_ad_set(account_id: int) -> int:
    return 10_000 * account_id


def favourite_ad_set(account_id: int, *, days_ago: int) -> int:
    """Return the ad set that had a third of an account's requests at that time."""
    return _first_ad_set(account_id) + _AD_SETS * (days_ago // 10)


def code_of(one: Set, index: int) -> int:
    """Return why a request failed: of one set mostly for one reason or two."""
    return _CODES[(one.dice + (index % 9) // 8) % 30 % len(_CODES)]


def _error(code: int) -> tuple[bytes, bytes, None, int, str]:
    message = f"(#{code}) The parameter creative is not valid for this objective."
    result = f'{{"error_code":{code},"error_subcode":1885183,"error_message":"{message}"}}'
    return result.encode(), _SPEC_BYTES, None, code, message
