"""A person at the dashboard, without a browser: signs in, reads pages, sends their forms."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.house import House

_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass
class Person:
    """Somebody with a browser of their own."""

    client: FlaskClient

    def get(self, path: str, **query: Any) -> TestResponse:
        return self.client.get(f"/admin{path}", query_string=query or None)

    def post(self, path: str, *, form_on: str = "/", **fields: Any) -> TestResponse:
        """Send a form as the page ``form_on`` holds it."""
        return self.send("POST", path, form_on=form_on, **fields)

    def send(self, method: str, path: str, *, form_on: str = "/", **fields: Any) -> TestResponse:
        """Send a form with any method."""
        found = _TOKEN.search(self.get(form_on).text)
        token = {"csrf_token": found[1]} if found else {}
        return self.client.open(f"/admin{path}", method=method, data={**token, **fields})

    def sign_in(self, key: str, **fields: Any) -> TestResponse:
        return self.post("/sign-in", form_on="/sign-in", key=key, **fields)


def person(house: House) -> Person:
    """Somebody who has not signed in yet."""
    return Person(house.client.application.test_client())


def signed_in(house: House) -> Person:
    """Somebody who signed in with the house's key."""
    somebody = person(house)
    assert somebody.sign_in(house.key).status_code == 302
    return somebody
