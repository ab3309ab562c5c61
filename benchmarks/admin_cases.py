"""What is asked of the admin's view, and with which filters: every documented one alone, and more.

``by`` says what serves a case, as docs/api.md does: ``index`` for what one index serves by itself,
``window`` for what is looked for in a bounded window, ``rows`` for a few rows and figures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from benchmarks.admin_population import NOW
from benchmarks.admin_set_rows import favourite_ad_set
from receiver.store.database import Database
from receiver.store.models import Delivery, Notification, Request, RequestSet

INDEX, WINDOW, ROWS = "index", "window", "rows"
API, PAGES = "/admin/api", "/admin"


@dataclass(frozen=True)
class Case:
    """One call; ``pages_deep`` pages of 500 rows are turned before it is measured."""

    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    by: str = INDEX
    note: str = ""
    pages_deep: int = 0

    @property
    def name(self) -> str:
        """What the case is called: its path, and what it is asked with."""
        # Numbers differ from key to key, and a case has one name.
        asked = "&".join(
            f"{name}=…"
            if value.isdigit() and name not in ("limit", "error_code")
            else f"{name}={value}"
            for name, value in self.query.items()
        )
        return " ".join(filter(None, (self.path, asked, self.note)))


@dataclass(frozen=True)
class Samples:
    """Rows of the population that a key may see."""

    small: RequestSet
    large: RequestSet
    failing: RequestSet
    parent_id: int
    request: Request
    notification_id: int
    delivery_id: int


def find_samples(database: Database, account_ids: tuple[int, ...]) -> Samples:
    """Choose rows to ask for; a kind that the accounts have none of gives way to another."""
    mine = RequestSet.account_id.in_(account_ids)
    with database.reading() as session:

        def one(order: Any, *conditions: Any) -> Any:
            sets = select(RequestSet).where(mine, RequestSet.state == "collected", *conditions)
            return session.scalars(sets.order_by(order).limit(1)).one_or_none()

        def of(model: Any, column: Any) -> Any:
            rows = select(model).where(column.in_(account_ids)).order_by(model.id).limit(1)
            return session.scalars(rows).first()

        large = one(RequestSet.spec_count.desc())
        made = select(Request).where(
            Request.request_set_id == large.id, Request.created_object_id.is_not(None)
        )
        parent = one(RequestSet.id, RequestSet.parent_id.is_not(None))
        notification, delivery = (
            of(Notification, Notification.account_id),
            of(Delivery, Delivery.account_id),
        )
        return Samples(
            small=one(RequestSet.spec_count),
            large=large,
            failing=one(RequestSet.error_count.desc()),
            parent_id=parent.parent_id if parent else 1,
            request=session.scalars(made.limit(1)).one(),
            notification_id=notification.id if notification else 1,
            delivery_id=delivery.id if delivery else 1,
        )


def cases(samples: Samples) -> Iterator[Case]:
    """Return every case, in the order of the documentation."""
    yield from _sets(samples)
    yield from _requests(samples)
    yield from _messages(samples)
    yield from _figures()
    yield from _pages(samples)
    yield Case("/health/live", by=ROWS, note="(no SQL: what the framework takes)")
    yield Case("/health/ready", by=ROWS, note="(read anew)")
    yield Case("/metrics", by=ROWS, note="(read anew)")


def _at(days: float) -> str:
    moment: datetime = NOW - timedelta(days=days)
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _list(path: str, *queries: Mapping[str, str], by: str = INDEX) -> Iterator[Case]:
    for query in queries:
        yield Case(f"{API}{path}", query, by=by)


def _whole(path: str, *sorts: str) -> Iterator[Case]:
    """A list without a filter: its first page, in each order, counted, and far down."""
    yield Case(f"{API}{path}")
    yield Case(f"{API}{path}", {"limit": "500"})
    yield from _list(path, *({"sort": sort} for sort in sorts))
    yield from _list(path, {"count": "true"})
    yield Case(f"{API}{path}", note="(1,000 rows down)", pages_deep=2)


_FAR_BACK = (
    {"since": _at(80), "until": _at(79)},
    {"until": _at(80)},
    {"since": _at(80), "sort": "FIRST"},
)


def _ranges(first: str) -> list[dict[str, str]]:
    return [{**query, **({"sort": first} if "sort" in query else {})} for query in _FAR_BACK]


def _sets(samples: Samples) -> Iterator[Case]:
    path, one = "/request-sets", samples.small
    yield from _whole(path, "created_at", "-completed_at", "completed_at")
    yield from _list(
        path,
        *_ranges("created_at"),
        {"completed_since": _at(80), "completed_until": _at(79), "sort": "-completed_at"},
        {"account": str(one.account_id)},
        *({"state": state} for state in ("collected", "open", "stuck", "open,unknown,stuck")),
        *({"verdict": verdict} for verdict in ("delivered", "lost", "none", "lost,failed")),
        {"with_errors": "true"},
        {"with_errors": "true", "count": "true"},
        {"late": "true"},
        {"request_set": f"{one.id},{samples.large.id}"},
        {"facebook_id": str(one.facebook_id)},
        {"parent": str(samples.parent_id)},
        {"state": "collected", "count": "true"},
    )
    yield from _list(
        path,
        {"kind": "asyncadcreatives"},
        {"learned_by": "poll"},
        {"name": "autumn, part 7"},
        {"name": "nothing is called so"},
        {"name": "nothing is called so", "count": "true"},
        {"completed_since": _at(80), "completed_until": _at(79)},
        {"state": "collected", "verdict": "lost", "with_errors": "true"},
        {"state": "stuck", "verdict": "delivered"},
        {"with_errors": "false"},
        {"state": "collected", "sort": "-completed_at"},
        {"verdict": "lost", "learned_by": "read", "kind": "asyncadcreatives", "count": "true"},
        by=WINDOW,
    )
    for name in ("small", "large", "failing"):
        row = getattr(samples, name)
        yield Case(f"{API}{path}/<number>", {"number": str(row.id)}, by=ROWS, note=f"({name})")


def _requests(samples: Samples) -> Iterator[Case]:
    path, one = "/requests", samples.request
    # It had very many requests, none of them of late.
    busy = favourite_ad_set(one.account_id or 0, days_ago=85)
    yield from _whole(path, "id")
    yield from _list(
        path,
        {"account": str(one.account_id)},
        {"request_set": str(samples.large.id)},
        {"request_set": str(samples.large.id), "limit": "500"},
        {"ad_set": str(one.scope_object_id)},
        {"ad_set": str(busy)},
        *({"status": status} for status in ("success", "error", "canceled", "error,success")),
        *({"error_code": code} for code in ("100", "999", "100,190,200")),
        {"status": "error", "count": "true"},
        {"created_object": str(one.created_object_id)},
        {"id": f"{one.id},{one.id + 7}"},
    )
    yield from _list(
        path,
        {"status": "canceled", "error_code": "100"},
        {"request_set": str(samples.large.id), "status": "error"},
        {"ad_set": str(busy), "status": "error"},
        {"ad_set": str(busy), "error_code": "999", "count": "true"},
        by=WINDOW,
    )


def _messages(samples: Samples) -> Iterator[Case]:
    number = {"request_set": str(samples.large.id)}
    for path, first in (
        ("/notifications", "received_at"),
        ("/looks", "started_at"),
        ("/deliveries", "created_at"),
        ("/audit", "at"),
    ):
        yield from _whole(path, first)
        yield from _list(path, *_ranges(first), number)
    yield from _list(
        "/deliveries", {"state": "delivered"}, {"state": "failed"}, {"state": "pending"}
    )
    yield from _list("/notifications", {"verdict": "delivered"}, {"verdict": "none"}, by=WINDOW)
    yield from _list(
        "/looks",
        {"kind": "requests"},
        {"kind": "create"},
        {"why": "read"},
        {"verdict": "lost"},
        {"with_errors": "true"},
        {"kind": "create", "count": "true"},
        by=WINDOW,
    )
    yield from _list("/audit", {"action": "look"}, {"action": "abandon"}, by=WINDOW)
    for path, found in (
        ("/notifications", samples.notification_id),
        ("/deliveries", samples.delivery_id),
    ):
        yield Case(f"{API}{path}/<number>", {"number": str(found)}, by=ROWS)


def _figures() -> Iterator[Case]:
    for path in ("/outcomes", "/errors"):
        yield from _list(
            path,
            {},
            {"since": _at(31), "until": _at(0)},
            {"since": _at(400), "until": _at(0), "interval": "day"},
            by=ROWS,
        )
    yield from _list("/accounts", {}, by=ROWS)
    yield from _list("/integrity", {}, by=ROWS)


def _pages(samples: Samples) -> Iterator[Case]:
    for path in (
        "/",
        "/request-sets",
        "/requests",
        "/notifications",
        "/looks",
        "/deliveries",
        "/audit",
        "/accounts",
    ):
        yield Case(f"{PAGES}{path}", by=ROWS)
    yield Case(f"{PAGES}/request-sets", {"state": "stuck"}, by=ROWS)
    for name in ("small", "large", "failing"):
        number = str(getattr(samples, name).id)
        yield Case(f"{PAGES}/request-sets/<number>", {"number": number}, by=ROWS, note=f"({name})")
    for path, found in (
        ("/notifications", samples.notification_id),
        ("/deliveries", samples.delivery_id),
    ):
        yield Case(f"{PAGES}{path}/<number>", {"number": str(found)}, by=ROWS)
