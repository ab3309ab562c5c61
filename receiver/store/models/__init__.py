"""The tables, their constraints and indexes; no queries.

Facebook's ids are 64-bit integers here and strings in JSON. What Facebook or a caller sent is kept
as bytes, because JSON allows texts that PostgreSQL refuses. States, statuses and verdicts are text
as they came. Each index says which query it serves.
"""

from __future__ import annotations

from receiver.store.models.accounts import Account, ApiKey, ApiKeyAccount, Credential, SignIn
from receiver.store.models.base import Base
from receiver.store.models.messages import Delivery, DeliveryAttempt, Look, Notification
from receiver.store.models.operations import ActionPlan, ActionPlanItem, AuditEntry, WorkerHeartbeat
from receiver.store.models.readings import EdgeMember, EdgeReading, GraphObject, Reconciliation
from receiver.store.models.request_sets import (
    FoundSet,
    IdempotencyKey,
    Request,
    RequestSet,
    Resubmission,
    Submission,
)
from receiver.store.models.statistics import ErrorByHour, OutcomeByHour

__all__ = [
    "Account",
    "ActionPlan",
    "ActionPlanItem",
    "ApiKey",
    "ApiKeyAccount",
    "AuditEntry",
    "Base",
    "Credential",
    "Delivery",
    "DeliveryAttempt",
    "EdgeMember",
    "EdgeReading",
    "ErrorByHour",
    "FoundSet",
    "GraphObject",
    "IdempotencyKey",
    "Look",
    "Notification",
    "OutcomeByHour",
    "Reconciliation",
    "Request",
    "RequestSet",
    "Resubmission",
    "SignIn",
    "Submission",
    "WorkerHeartbeat",
]
