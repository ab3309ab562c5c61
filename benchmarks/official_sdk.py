"""Facebook's official SDK, told to call another host."""

from __future__ import annotations

from facebook_business.api import FacebookAdsApi
from facebook_business.session import FacebookSession

TOKEN = "any-token"  # noqa: S105  # the sandbox takes any


def sdk_at(url: str, *, token: str = TOKEN) -> FacebookAdsApi:
    """Return the SDK for a host."""
    session = FacebookSession(access_token=token)
    session.GRAPH = url
    session.requests.trust_env = False
    return FacebookAdsApi(session, api_version="v21.0")
