from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.commands import environment
from tests.support.house import ACCOUNT, House
from tests.support.set_commands import CREATE, ads_file, create_sets, states


@pytest.mark.drill
def test_a_command_that_is_killed_during_a_create_makes_nothing_twice(
    house: House, tmp_path: Path
) -> None:
    file = ads_file(tmp_path, 6)
    arguments = ["set", "create", str(file), "--account", str(ACCOUNT), "--size", "2"]
    settings = house.parts.settings
    url = settings.database_url.get_secret_value().replace("postgresql+psycopg", "postgresql")
    variables = {**os.environ, **environment(url, RECEIVER_GRAPH_URL=settings.graph_url)}
    house.sandbox.trouble("hold", effect="before", **CREATE)
    command = subprocess.Popen(
        [sys.executable, "-m", "receiver", *arguments],
        env={name: value for name, value in variables.items() if value is not None},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    ends = time.monotonic() + 30
    while not house.sandbox.ledger() and time.monotonic() < ends:
        time.sleep(0.05)
    command.kill()
    command.wait()
    house.sandbox.release()
    again = create_sets(house, file, "--size", 2, "--json")
    assert (again.exit_code, states(again)) == (3, ["submitting", "open", "open"])
    house.let_time_pass(200)
    house.work()
    last = create_sets(house, file, "--size", 2, "--json")
    assert (last.exit_code, states(last)) == (0, ["collected"] * 3)
    assert sorted(house.sandbox.set_names()) == ["ads 1/3", "ads 2/3", "ads 3/3"]
