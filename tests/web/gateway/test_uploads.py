"""Files of any size within the limits go through without being held in memory."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Iterator
from io import BytesIO, RawIOBase
from pathlib import Path
from typing import Any

import pytest

from receiver.graph.multipart import write_multipart
from receiver.graph.passing import Attachment
from tests.support.databases import fresh_database_url
from tests.support.house import ACCOUNT, TOKEN, House, open_house
from tests.support.lying_server import answering, http_answer, lying_server

ACT = f"/act_{ACCOUNT}"
MEBIBYTE = 1024 * 1024
OK = http_answer(b'{"id": "1"}', headers={"Content-Type": "application/json"})


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with (
        fresh_database_url("sqlite", tmp_path) as url,
        open_house(url, upload_limit_bytes=40 * MEBIBYTE) as house,
    ):
        yield house


def upload(house: House, size: int, **form: Any) -> Any:
    video = Attachment("video.mp4", "video/mp4", BytesIO(b"v" * size))
    body, content_type = write_multipart((("title", "a video"), *form.items()), {"source": video})
    with body:
        return house.client.post(
            f"{ACT}/advideos",
            data=body.read(),
            content_type=content_type,
            headers={} if "access_token" in form else {"Authorization": f"Bearer {house.key}"},
        )


def test_a_file_larger_than_other_bodies_may_be_arrives_whole(house: House) -> None:
    with lying_server(answering(OK)) as server, house.with_facebook_at(server.url):
        assert upload(house, 12 * MEBIBYTE).get_json() == {"id": "1"}
        (request,) = server.requests
    head, _, body = request.partition(b"\r\n\r\n")
    assert f"Content-Length: {len(body)}".encode() in head
    assert f"Bearer {TOKEN}".encode() in head
    assert b"v" * (12 * MEBIBYTE) in body
    assert b'name="title"\r\n\r\na video\r\n' in body
    assert b'filename="video.mp4"' in body


def test_the_key_in_the_form_goes_no_further(house: House) -> None:
    with lying_server(answering(OK)) as server, house.with_facebook_at(server.url):
        assert upload(house, 1000, access_token=house.key).get_json() == {"id": "1"}
        assert house.key.encode() not in server.requests[0]


def test_who_brings_no_key_before_the_file_may_send_what_anybody_may(house: House) -> None:
    response = upload(house, 11 * MEBIBYTE, access_token=house.key)
    assert (response.status_code, response.get_json()["error"]["code"]) == (413, 100)


def test_more_than_the_limit_is_refused(house: House) -> None:
    response = upload(house, 41 * MEBIBYTE)
    assert response.status_code == 413
    assert str(40 * MEBIBYTE) in response.get_json()["error"]["message"]


def test_a_raw_body_is_passed_on_as_it_is(house: House) -> None:
    data = bytes(range(256)) * 4096 * 11
    with lying_server(answering(OK)) as server, house.with_facebook_at(server.url):
        response = house.client.post(
            f"/v21.0{ACT}/advideos",
            data=data,
            content_type="application/octet-stream",
            headers={"Authorization": f"OAuth {house.key}", "X-Entity-Name": "a-video"},
        )
        assert response.get_json() == {"id": "1"}
        (request,) = server.requests
    assert request.endswith(data)
    assert b"a-video" in request


def test_an_upload_is_not_held_in_memory(house: House) -> None:
    source = Zeros(12 * MEBIBYTE)
    with lying_server(answering(OK)) as server, house.with_facebook_at(server.url):
        tracemalloc.start()
        response = house.client.post(
            f"{ACT}/advideos",
            input_stream=source,
            content_type="application/octet-stream",
            headers={"Authorization": f"Bearer {house.key}"},
        )
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert response.status_code == 200
        held_by_the_server = len(server.requests[0])
    assert peak < held_by_the_server * 2.5  # the server of the test holds it, twice while it joins


class Zeros(RawIOBase):
    """A stream of so many zeros that holds none of them."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self._place = 0

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._place = self.size if whence == os.SEEK_END else offset
        return self._place

    def readinto(self, buffer: Any) -> int:
        count = min(len(buffer), self.size - self._place)
        buffer[:count] = bytes(count)
        self._place += count
        return count
