"""How sets look, without a read that a set's progress counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support.in_process import GraphRefused, InProcessGraph
from tests.support.set_model import COUNTERS, SetModel

SET_FIELDS = (
    "id,owner_id,name,is_completed,total_count,notification_uri,notification_mode,"
    f"notification_status,created_time,{','.join(COUNTERS)}"
)
_REQUEST_FIELDS = "id,scope_object_id,status,result"


class SetsGraph(InProcessGraph):
    """Calls to a still sandbox, and looks at its sets that leave them as they are."""

    def node_of(self, model: SetModel) -> dict[str, Any]:
        """Return a set's ``SET_FIELDS``, read through one of its requests."""
        request = self.get(f"/{model.id}/requests", limit=1)["data"][0]["id"]
        expanded = f"async_request_set{{{SET_FIELDS}}}"
        node: dict[str, Any] = self.get(f"/{request}", fields=expanded)["async_request_set"]
        return node

    def requests_of(self, model: SetModel) -> list[dict[str, Any]]:
        page = self.get(f"/{model.id}/requests", fields=_REQUEST_FIELDS, limit=500)
        requests: list[dict[str, Any]] = page["data"]
        return requests

    def is_completed(self, model: SetModel) -> bool:
        return bool(self.node_of(model)["is_completed"])


def is_accepted(call: Callable[[], Any]) -> bool:
    """Return whether a change succeeds; one that does not must be refused with code 100."""
    try:
        assert call() == {"success": True}
    except GraphRefused as refused:
        assert refused.code == 100  # noqa: PT017  # either outcome is looked at
        return False
    return True
