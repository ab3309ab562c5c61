"""How an account lists its request sets: their order, how late, and what becomes of their URIs."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

_OTHER_HOST = "rewritten.example"


class EdgeBehaviour(BaseModel):
    """What a client may not rely on: nothing of this is promised by Facebook's page.

    A set that is younger than ``stale_seconds`` is missing from the list. ``uris`` says how lists
    and reads of the account's sets show ``notification_uri``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    order: Literal["newest_first", "oldest_first", "random"] = "newest_first"
    seed: int = 0
    stale_seconds: float = Field(default=0, ge=0, le=86_400)
    uris: Literal["shown", "hidden", "rewritten"] = "shown"

    def rank(self, set_id: str) -> bytes:
        """Return a set's place in the random order, which its id and the seed alone decide."""
        return blake2b(f"{self.seed} {set_id}".encode(), digest_size=8).digest()

    def lists(self, created_time: datetime, *, now: datetime) -> bool:
        """Tell whether the list knows a set yet."""
        return not self.stale_seconds or now - created_time >= timedelta(seconds=self.stale_seconds)

    def shown_uri(self, uri: str | None) -> str | None:
        """Return a URI as it is shown: as it is, not at all, or at another host without a query."""
        if uri is None or self.uris == "hidden":
            return None
        if self.uris == "shown":
            return uri
        return urlsplit(uri)._replace(netloc=_OTHER_HOST, query="").geturl()
