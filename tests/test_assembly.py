from __future__ import annotations

from contextlib import closing

from sqlalchemy.pool import QueuePool

from receiver.assembly import build
from tests.support.house import make_settings

NOWHERE = "sqlite:////nowhere/receiver.db"


def test_a_process_holds_as_many_connections_as_the_settings_say() -> None:
    with closing(build(make_settings(NOWHERE, "http://graph.test", database_pool_size=7))) as parts:
        pool = parts.database.engine.pool
        assert isinstance(pool, QueuePool)
        assert (pool.size(), pool._max_overflow) == (7, 0)
