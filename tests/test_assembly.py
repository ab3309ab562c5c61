from __future__ import annotations

from contextlib import closing
from datetime import timedelta

import pytest
from sqlalchemy.pool import QueuePool

from receiver.assembly import build
from tests.support.house import make_settings

NOWHERE = "sqlite:////nowhere/receiver.db"


def test_a_process_holds_as_many_connections_as_the_settings_say() -> None:
    with closing(build(make_settings(NOWHERE, "http://graph.test", database_pool_size=7))) as parts:
        pool = parts.database.engine.pool
        assert isinstance(pool, QueuePool)
        assert (pool.size(), pool._max_overflow) == (7, 0)


@pytest.mark.parametrize(("days", "kept_for"), [(0, None), (30, timedelta(days=30))])
def test_what_is_over_is_kept_as_long_as_the_settings_say(
    days: int, kept_for: timedelta | None
) -> None:
    with closing(build(make_settings(NOWHERE, "http://graph.test", retention_days=days))) as parts:
        assert parts.tools.kept_for == kept_for
