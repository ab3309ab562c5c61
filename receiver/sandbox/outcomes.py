"""What becomes of one ad spec, decided from the spec alone: the same spec ends the same way."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from receiver.graph.serve import BadParameter

_MAX_DEPTH = 64

_FAILURES = (
    (100, "Invalid parameter"),
    (1487390, "Adcreative Create Failed: The Adcreative Create Failed for an unknown reason."),
    (2, "An unexpected error has occurred. Please retry your request later."),
    (1487901, "Your Budget Is Too Low: Increase the budget of the ad set and try again."),
    (1885183, "Ads creative post was created by an app that is in development mode."),
)


@dataclass(frozen=True)
class Outcome:
    """The end of a request: an error's code and message, or neither for an ad created."""

    error_code: int | None = None
    error_message: str = ""


def outcome_of(spec: Mapping[str, Any]) -> Outcome:
    """Decide how a spec ends.

    One without an ad set fails with code 100, one whose name contains ``fail`` with an error that
    its name chooses; every other one becomes an ad.
    """
    if not _is_object_id(spec.get("adset_id")):
        return Outcome(100, "(#100) The parameter adset_id is required")
    name = spec.get("name")
    if not isinstance(name, str) or "fail" not in name.lower():
        return Outcome()
    choice = zlib.crc32(name.encode("utf-8", "surrogatepass")) % len(_FAILURES)
    return Outcome(*_FAILURES[choice])


def scope_object_id(spec: Mapping[str, Any]) -> str | None:
    """Return the id of the object that the ad would be made under: the ad set, or the campaign."""
    for name in ("adset_id", "campaign_id"):
        if _is_object_id(spec.get(name)):
            return str(spec[name])
    return None


def _is_object_id(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return False
    text = str(value)
    return text.isascii() and text.isdigit() and len(text) <= 20  # noqa: PLR2004  # 64 bits


def normalise_spec(value: Any, *, key: str = "", depth: int = 0) -> Any:
    """Return a spec as Facebook shows it in ``input``: numeric ids have become strings.

    Raises BadParameter for a spec nested so deep that it could not be shown again.
    """
    if depth > _MAX_DEPTH:
        raise BadParameter("ad_specs", "Param ad_specs is nested too deeply.")
    if isinstance(value, dict):
        return {k: normalise_spec(v, key=str(k), depth=depth + 1) for k, v in value.items()}
    if isinstance(value, list):
        return [normalise_spec(item, key=key, depth=depth + 1) for item in value]
    if key.endswith("_id") and type(value) is int:
        return str(value)
    return value
