"""Paths that the admin API does not know."""

from __future__ import annotations

import pytest

from tests.support.house import House

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_a_path_that_is_not_known_is_not_found(house: House) -> None:
    answer = house.client.get("/admin/api/nothing")

    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")


def test_nobody_learns_by_a_path_whether_a_guess_is_a_secret(house: House) -> None:
    secret = house.parts.settings.secret_keys[0].get_secret_value()

    right = house.client.get(f"/admin/api/guess/{secret}")
    wrong = house.client.get("/admin/api/guess/wrong")

    assert right.get_json() == wrong.get_json()
