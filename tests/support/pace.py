"""The pace of a receiver with its default settings."""

from __future__ import annotations

from receiver.lifecycle.plan import Pace

PACE = Pace(
    send_before_seconds=10,
    call_deadline_seconds=60,
    lease_seconds=120,
    first_look_seconds=60,
    look_interval_min_seconds=15,
    look_interval_max_seconds=900,
    notification_grace_seconds=120,
    deadline_min_seconds=3600,
    deadline_max_seconds=86_400,
    settle_seconds=900,
    needs_witness=True,
)
