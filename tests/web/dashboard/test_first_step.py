"""What the empty list of sets teaches can be copied as it stands there."""

from __future__ import annotations

from tests.support.dashboard import signed_in
from tests.support.house import House


def test_the_first_step_names_the_public_url_and_where_the_key_stands(house: House) -> None:
    page = signed_in(house).get("/request-sets").text

    assert f"{house.parts.settings.public_url}/v21.0/act_123/asyncadrequestsets" in page
    assert "-H 'Authorization: Bearer YOUR_KEY'" in page
    assert "(hidden)" not in page
