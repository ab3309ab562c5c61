"""Actions on sets, asked for by the admin API as a person does."""

from __future__ import annotations

from typing import Any

from werkzeug.test import TestResponse

from receiver.store.models import Request, RequestSet
from tests.support.house import ACCOUNT, TOKEN, House, ad
from tests.support.sandbox import GraphCaller

CREATE = {"method": "POST", "path": "/asyncadrequestsets$"}


def post(house: House, path: str, json: Any = None) -> TestResponse:
    """Post to the admin API."""
    headers = {"Authorization": f"Bearer {house.key}"}
    return house.client.post(f"/admin/api/{path}", json=json, headers=headers)


def act(house: House, action: str, number: int = 1) -> TestResponse:
    """Do something to a set."""
    return post(house, f"request-sets/{number}/actions/{action}")


def adopt(house: House, facebook_id: object, number: int = 1) -> TestResponse:
    """Say which set at Facebook a set is."""
    return post(house, f"request-sets/{number}/adopt", {"facebook_id": str(facebook_id)})


def abandon(house: House, number: int = 1) -> TestResponse:
    """Give a set up."""
    return post(house, f"request-sets/{number}/abandon", {"reason": "Enough."})


def collected(house: House, specs: list[Any] | None = None, **parameters: Any) -> str:
    """Create a set that is collected, and return Facebook's id of it."""
    set_id = house.create_open(specs, **parameters)
    house.notify(set_id)
    house.work()
    return set_id


def doubtful_failure(house: House, name: str = "fail a") -> Request:
    """Let a collected set have a failure whose error does not say whether its ad was made."""
    collected(house, [ad("one"), ad(name)])
    with house.parts.database.writing() as session:
        for row in session.query(Request):
            if f'"{name}"'.encode() in (row.input or b""):
                row.error_code = 2
                return row
    raise AssertionError(name)


def set_of_somebody(
    house: House, specs: list[Any] | None = None, *, account_id: int = ACCOUNT
) -> str:
    """Let somebody who does not use the receiver create a set, of two ads if nothing is said."""
    caller = GraphCaller(house.sandbox.url, token=TOKEN)
    with caller.session:
        return caller.create(str(account_id), specs or [ad("x"), ad("y")])


def set_number(house: House, number: int) -> RequestSet:
    """Return the intent with a number."""
    return house.rows(RequestSet)[number - 1]


def doubled(house: House) -> int:
    """Return how many sets count as doubled."""
    count: int = house.get("/admin/api/integrity").get_json()["doubled"]
    return count
