"""Take pictures for the documentation: ``python -m tests.support.screenshots docs/pictures``.

A day in the life of a team is played in a house: what it sends, what fails of it and why, which
notifications are lost, an account that is parked, and sets that Facebook still works on.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

from receiver.cli.processes import free_port
from receiver.crypto import hash_api_key, new_api_key
from receiver.store import accounts, keys
from receiver.store.models import Notification, RequestSet
from tests.support.browser import PHONE, Site, running_browser, served
from tests.support.databases import fresh_database_url
from tests.support.house import TOKEN, House, ad, open_house
from tests.support.processes import eventually

_RETAIL, _TRAVEL, _GAMES = 60214415, 80214466, 90331177
_CAMPAIGNS = {
    _RETAIL: ("Autumn sale", "Winter coats", "Retargeting: left baskets", "Black Friday teaser"),
    _TRAVEL: ("City trips", "Last minute: islands", "Ski weekends", "Families, spring"),
    _GAMES: ("Launch week", "Lookalikes 2 %", "Season pass"),
}
_MARKETS = ("DE", "FR", "ES", "IT", "NL", "PL", "SE")
_BUSY_HOURS = (7, 8, 9, 10, 11, 13, 14, 15, 16, 17)
_PICTURE: Any = {"width": 1280, "height": 860}


class Day:
    """A day of the team, an hour at a time; the same every time that it is played."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._chance = random.Random(7)

    def pass_by(self) -> None:
        """Play the hours before the picture is taken."""
        for hour in range(24):
            for _ in range(self._chance.randint(4, 7) if hour in _BUSY_HOURS else 2):
                self._send(hour)
            self._house.let_time_pass(3600 - 150)
            self._house.work(most=1000)

    def end(self) -> None:
        """Play the last hour: what is under way in the picture."""
        self._be_parked(_GAMES)
        self._at_work(_RETAIL, "Black Friday: all products, DE", size=400, done=148)
        self._at_work(_TRAVEL, "New Year trips, FR", size=120, done=96)
        self._at_work(_RETAIL, "Black Friday: bestsellers, NL", size=80, done=12)
        self._house.let_time_pass(60)
        self._house.work(most=1000)

    def _send(self, hour: int) -> None:
        account = self._chance.choice([_RETAIL, _RETAIL, _TRAVEL, _TRAVEL, _GAMES])
        fate = self._fate(hour)
        self._house.sandbox.configure(f"act_{account}", notification={"kind": fate}, next_sets=1)
        campaign = self._chance.choice(_CAMPAIGNS[account])
        self.create(account, f"{campaign}, {self._chance.choice(_MARKETS)}", specs=self._specs())
        if fate == "deliver":
            self._wait_for_notification()
        self._house.work()
        self._house.let_time_pass(75 if fate == "deliver" else 130)
        self._house.work()

    def _wait_for_notification(self) -> None:
        newest = self._house.rows(RequestSet)[-1].id
        eventually(
            lambda: any(one.request_set_id == newest for one in self._house.rows(Notification)),
            what=f"the notification of set {newest}",
        )

    def _fate(self, hour: int) -> str:
        """What becomes of a notification: for two hours of the day, many are lost."""
        is_bad_hour = hour in (14, 15)
        weights = (3, 6, 1) if is_bad_hour else (20, 1, 1)
        return self._chance.choices(("deliver", "lost", "error"), weights)[0]

    def _specs(self) -> list[dict[str, Any]]:
        size = self._chance.choice([12, 24, 40, 60])
        failing = self._chance.choice([0, 0, 0, 1, 3])
        return [
            ad(f"{'fails' if number < failing else 'ad'} {self._chance.random()}")
            for number in range(size)
        ]

    def _at_work(self, account: int, name: str, *, size: int, done: int) -> None:
        self._house.sandbox.configure(f"act_{account}", progress={"kind": "by_hand"}, next_sets=1)
        set_id = self.create(account, name, specs=[ad(f"ad {number}") for number in range(size)])
        self._house.sandbox.advance(set_id, requests=done)

    def _be_parked(self, account: int) -> None:
        """Let Facebook refuse an account for good while it works on a set of it."""
        self._at_work(account, "Launch week: second wave, SE", size=60, done=20)
        self._house.sandbox.trouble(
            "graph_error",
            account=f"act_{account}",
            count=None,
            code=613,
            type="OAuthException",
            http_status=400,
            message="(#613) Calls to this api have exceeded the rate limit.",
        )
        for _ in range(4):
            self._house.let_time_pass(1000)
            self._house.work(most=1000)

    def create(self, account: int, name: str, *, specs: list[dict[str, Any]]) -> str:
        """Create a set as the team's program does."""
        form = {"name": name, "ad_specs": json.dumps(specs), "access_token": self._house.key}
        answer = self._house.client.post(f"/v21.0/act_{account}/asyncadrequestsets", data=form)
        assert answer.status_code == 200, answer.text
        set_id: str = answer.get_json()["id"]
        return set_id


def _let_team_in(house: House) -> None:
    """Give the house the team's accounts, and a key for all of them."""
    house.key = new_api_key()
    with house.parts.database.writing() as session:
        accounts.put_accounts(
            session,
            list(_CAMPAIGNS),
            sealed_token=house.parts.keys.seal(TOKEN),
            sealed_app_secret=None,
            now=house.clock(),
        )
        keys.add_key(
            session,
            "media team",
            key_hash=hash_api_key(house.key),
            account_ids=list(_CAMPAIGNS),
            now=house.clock(),
        )


def _take(visited: Site, folder: Path, *, number: int) -> None:
    """Take every picture."""
    light = visited.member(viewport=_PICTURE)
    dark = visited.member(viewport=_PICTURE, color_scheme="dark")
    phone = visited.member(viewport=PHONE, device_scale_factor=1)
    for visitor, path, name in (
        (light, "/", "overview"),
        (light, f"/request-sets/{number}", "set"),
        (dark, "/request-sets", "request-sets-dark"),
        (phone, "/", "overview-phone"),
    ):
        page = visitor.open(path)
        page.screenshot(path=folder / f"{name}.png", animations="disabled")


def _with_most_errors(house: House) -> int:
    """The newest set of which several requests failed."""
    failed = [row for row in house.rows(RequestSet) if (row.error_count or 0) > 1]
    return failed[-1].id


def main(folder: Path) -> None:
    """Play the day and write the pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    with (
        tempfile.TemporaryDirectory() as data,
        fresh_database_url("sqlite", Path(data)) as url,
        open_house(url, public_url=f"http://127.0.0.1:{port}") as house,
        served(house, port=port) as site_url,
        running_browser() as browser,
    ):
        _let_team_in(house)
        day = Day(house)
        day.pass_by()
        day.end()
        house.let_a_worker_beat()
        visited = Site(house, site_url, browser)
        _take(visited, folder, number=_with_most_errors(house))
        visited.leave()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
