"""The official Python SDK, pointed at a host of ours."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from facebook_business.api import FacebookAdsApi
from facebook_business.session import FacebookSession


@contextmanager
def sdk_api(url: str, *, token: str = "token", app_secret: str | None = None) -> Iterator[Any]:
    """Give an api of the SDK that calls ``url``; it is nobody's default."""
    session = FacebookSession(app_id="1", app_secret=app_secret, access_token=token, timeout=60)
    session.GRAPH = url
    session.requests.trust_env = False
    with session.requests:
        yield FacebookAdsApi(session, api_version="v26.0")


@dataclass
class Callbacks:
    """What a batch of the SDK said about its operations, by the key that each was added with."""

    successes: dict[str, Any] = field(default_factory=dict)
    failures: dict[str, Any] = field(default_factory=dict)

    def of(self, key: str) -> dict[str, Callable[[Any], None]]:
        """Return the arguments that make an operation tell its outcome here."""

        def succeed(response: Any) -> None:
            self.successes[key] = response

        def fail(response: Any) -> None:
            self.failures[key] = response

        return {"success": succeed, "failure": fail}


def ids(objects: Iterable[Any]) -> list[str]:
    """Return the ids of the SDK's objects, or of all those on a cursor's pages, in their order."""
    return [each["id"] for each in objects]
