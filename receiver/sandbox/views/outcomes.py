"""Whether an ad can be made, decided from its spec alone: the same spec ends the same way."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

from receiver.sandbox.calls.errors import GraphFault

_FAILURES = (
    (100, "Invalid parameter"),
    (1487390, "Adcreative Create Failed: The Adcreative Create Failed for an unknown reason."),
    (2, "An unexpected error has occurred. Please retry your request later."),
    (1487901, "Your Budget Is Too Low: Increase the budget of the ad set and try again."),
    (1885183, "Ads creative post was created by an app that is in development mode."),
)


def check_fate(parameters: Mapping[str, Any]) -> None:
    """Let what has ``fail`` in its name fail, so that failures can be rehearsed.

    Raises GraphFault, one of five, chosen by the name.
    """
    name = parameters.get("name")
    if isinstance(name, str) and "fail" in name.lower():
        choice = zlib.crc32(name.encode("utf-8", "surrogatepass")) % len(_FAILURES)
        code, message = _FAILURES[choice]
        raise GraphFault(message, code)
