"""The filters of a plan in words (pure), for whoever reads it later."""

from __future__ import annotations

from receiver.web.admin.parameters import SetFilters


def of_filters(filters: SetFilters) -> str:
    """Say which sets were chosen, by the filters that were given."""
    given = filters.model_dump(mode="json", exclude_defaults=True)
    words = [f"{name}={_value(value)}" for name, value in given.items()]
    return ", ".join(words) or "every set"


def _value(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
