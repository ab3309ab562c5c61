"""The figures of ads: how often they were shown, clicked and paid for.

Nothing is shown to anybody here: the figures are made up from ids, so that the same object has the
same ones in every sandbox. Those of several objects are their sum; an account and a campaign that
are asked for as a whole have their own.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


def made_up_number(seed: str, *, below: int) -> int:
    """Return a number from 0 that depends on the seed alone."""
    digest = hashlib.sha256(seed.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") % below


@dataclass(frozen=True)
class Figures:
    """What became of an object's ads. ``spend`` is in cents."""

    impressions: int = 0
    reach: int = 0
    clicks: int = 0
    spend: int = 0

    def __add__(self, other: Figures) -> Figures:
        return Figures(
            self.impressions + other.impressions,
            self.reach + other.reach,
            self.clicks + other.clicks,
            self.spend + other.spend,
        )

    def shown(self) -> dict[str, str]:
        """Return the figures as insights have them: all are strings, money in whole units."""
        return {
            "impressions": str(self.impressions),
            "reach": str(self.reach),
            "clicks": str(self.clicks),
            "spend": f"{self.spend / 100:.2f}",
            "frequency": f"{self.impressions / self.reach:.6f}",
            "ctr": f"{100 * self.clicks / self.impressions:.6f}",
            "cpc": f"{self.spend / 100 / self.clicks:.6f}",
            "cpm": f"{10 * self.spend / self.impressions:.6f}",
        }


def made_up_figures(object_id: str) -> Figures:
    """Return an object's figures, none of which is 0."""
    reach = 500 + made_up_number(f"reach {object_id}", below=50_000)
    impressions = reach + made_up_number(f"impressions {object_id}", below=2 * reach)
    clicks = 1 + made_up_number(f"clicks {object_id}", below=impressions // 20)
    spend = clicks * (5 + made_up_number(f"spend {object_id}", below=200))
    return Figures(impressions, reach, clicks, spend)
