"""The admin's view: the query API, its description, and the dashboard."""

from receiver.web.admin import actions, exports, figures, lists, openapi, unknown
from receiver.web.admin.api import blueprint

__all__ = ["actions", "blueprint", "exports", "figures", "lists", "openapi", "unknown"]
