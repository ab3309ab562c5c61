"""What the create or the change of a request set asks for, its outer shape checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from receiver.graph.serve.parameters import BadParameter, decode_json
from receiver.graph.vocabulary import (
    MAX_ADS_PER_SET,
    MODE_OFF,
    MODE_ON_COMPLETE,
    notification_mode,
)


@dataclass(frozen=True)
class NewSet:
    """What the create of a request set asks for, its outer shape checked."""

    name: str
    ad_specs: list[dict[str, Any]]
    notification_uri: str | None
    notification_mode: str


def parse_new_set(parameters: Mapping[str, Any]) -> NewSet:
    """Check the outer shape of a create: what is asked for, never whether an ad could be made.

    A create without a mode asks for no notification (nothing is documented).

    Raises BadParameter naming the field that is wrong.
    """
    name = parse_name(parameters)
    ad_specs = _parse_ad_specs(parameters)
    uri, mode = parse_notification(parameters)
    return NewSet(name, ad_specs, notification_uri=uri, notification_mode=mode)


def parse_notification(parameters: Mapping[str, Any]) -> tuple[str | None, str]:
    """Return the notification's URI and mode that a create asks for.

    Raises BadParameter.
    """
    mode = parse_mode(parameters) or MODE_OFF
    uri = parse_notification_uri(parameters)
    check_notification(mode=mode, uri=uri)
    return uri, mode


def parse_name(parameters: Mapping[str, Any]) -> str:
    """Return the ``name`` of a set.

    Raises BadParameter for a missing, an empty, or no string.
    """
    name = parameters.get("name")
    if name is None or name == "":
        raise BadParameter.missing("name")
    if not isinstance(name, str):
        raise BadParameter("name", "Param name must be a string.")
    return name


def _parse_ad_specs(parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    specs = decode_json(parameters, "ad_specs")
    if specs is None:
        raise BadParameter.missing("ad_specs")
    if not isinstance(specs, list):
        raise BadParameter("ad_specs", "Param ad_specs must be an array.")
    if not 1 <= len(specs) <= MAX_ADS_PER_SET:
        raise BadParameter("ad_specs", f"Param ad_specs must hold 1 to {MAX_ADS_PER_SET} specs.")
    for index, spec in enumerate(specs):
        if not isinstance(spec, dict):
            raise BadParameter("ad_specs", f"Param ad_specs[{index}] must be an object.")
    return specs


def parse_mode(parameters: Mapping[str, Any]) -> str | None:
    """Return the word of ``notification_mode``, or None when the call does not name one.

    Raises BadParameter for an unknown one.
    """
    value = parameters.get("notification_mode")
    if value is None or value == "":
        return None
    mode = notification_mode(value)
    if mode is None:
        raise BadParameter(
            "notification_mode",
            f"Param notification_mode must be one of {{{MODE_OFF}, {MODE_ON_COMPLETE}}}.",
        )
    return mode


def parse_notification_uri(parameters: Mapping[str, Any]) -> str | None:
    """Return ``notification_uri`` as it came, or None when the call does not name one.

    Raises BadParameter for what is no http or https URL.
    """
    uri = parameters.get("notification_uri")
    if uri is None or uri == "":
        return None
    if not isinstance(uri, str) or not _is_web_address(uri):
        raise BadParameter(
            "notification_uri", "Param notification_uri must be a valid http or https URI."
        )
    return uri


def _is_web_address(uri: str) -> bool:
    try:
        parts = urlsplit(uri)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return has_host and parts.scheme in ("http", "https") and uri.isprintable() and " " not in uri


def check_notification(*, mode: str, uri: str | None) -> None:
    """Raise BadParameter for a set that is to notify nobody knows whom."""
    if mode == MODE_ON_COMPLETE and uri is None:
        raise BadParameter(
            "notification_uri",
            f"The parameter notification_uri is required for the mode {MODE_ON_COMPLETE}.",
        )
