"""What is known of the promises, as JSON (pure): ids as strings, times in ISO 8601."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from receiver.lifecycle.integrity import Integrity
from receiver.lifecycle.reconcile import Reconciled
from receiver.store.integrity import Counted

_IDS = ("id", "account_id", "facebook_id", "owner_id", "request_set_id", "api_key_id", "twin_of")


def integrity_as_json(found: Integrity) -> dict[str, Any]:
    """``missing`` and ``doubled`` are numbers; the rows behind every number stand in ``rows``."""
    counts: dict[str, Counted] = {
        "missing": found.missing,
        "doubled": found.doubled,
        "late": found.late,
        "stuck": found.stuck,
    }
    return {
        **{name: counted.count for name, counted in counts.items()},
        "is_exact": {name: counted.is_exact for name, counted in counts.items()},
        "counted_at": json_value("", found.counted_at),
        "reconciled": {
            f"act_{account_id}": _row(newest) for account_id, newest in found.reconciled.items()
        },
        "rows": {
            **{name: [_row(row) for row in counted.rows] for name, counted in counts.items()},
            "orphans": [_row(row) for row in found.orphans],
        },
    }


def reconciled_as_json(done: Reconciled) -> dict[str, Any]:
    """Return a reconciliation with every difference."""
    return {
        "account": f"act_{done.account_id}",
        "since": json_value("", done.since),
        "until": json_value("", done.until),
        "calls": done.calls,
        "sets": done.sets,
        "is_whole": done.is_whole,
        "differences": [
            {
                "kind": each.kind,
                "request_set_id": json_value("id", each.request_set_id),
                "facebook_ids": [str(one) for one in each.facebook_ids],
                "detail": each.detail,
            }
            for each in done.differences
        ],
    }


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: json_value(name, value) for name, value in row.items()}


def json_value(name: str, value: Any) -> Any:
    """Return a column's value as JSON has it."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if name == "found_sets":
        return [str(one) for one in value]
    return str(value) if name in _IDS and value is not None else value
