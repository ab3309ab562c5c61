from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest

from tests.support.sandbox import GraphCaller

EDGE = "/v21.0/act_1/adimages"
GIF = b"GIF89a picture"
GIF_HASH = hashlib.md5(GIF).hexdigest()


def upload(graph: GraphCaller, **files: bytes) -> Any:
    parts = {name: (f"{name}.gif", content) for name, content in files.items()}
    return graph.call("POST", EDGE, files=parts).json()


def hashes(page: Any) -> list[str]:
    return [image["hash"] for image in page["data"]]


@pytest.mark.parametrize("part", ["filename", "test1", "source"])
def test_a_file_may_have_any_name(graph: GraphCaller, part: str) -> None:
    images = upload(graph, **{part: GIF})["images"]
    assert list(images) == [f"{part}.gif"]
    assert images[f"{part}.gif"]["hash"] == GIF_HASH


def test_several_files_are_several_images(graph: GraphCaller) -> None:
    images = upload(graph, one=GIF, two=GIF + b"2")["images"]
    assert list(images) == ["one.gif", "two.gif"]
    assert hashes(graph.get(EDGE)) == [image["hash"] for image in images.values()]


def test_bytes_come_in_base64(graph: GraphCaller) -> None:
    content = base64.b64encode(GIF).decode()
    (image,) = graph.post(EDGE, bytes=content)["images"].values()
    assert image["hash"] == GIF_HASH


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xd8\xff\xe0",
        b"\x89PNG\r\n\x1a\n",
        b"GIF87a",
        b"BM....",
        b"II*\0",
        b"MM\0*",
        b"RIFF\0\0\0\0WEBP",
    ],
)
def test_an_image_is_known_by_its_beginning(graph: GraphCaller, content: bytes) -> None:
    assert "images" in upload(graph, file=content)


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7", b"RIFF\0\0\0\0WAVE"])
def test_what_is_no_image_is_refused(graph: GraphCaller, content: bytes) -> None:
    error = upload(graph, good=GIF, bad=content)["error"]
    assert (error["code"], error["error_subcode"]) == (100, 1487411)
    assert graph.get(EDGE) == {"data": []}


@pytest.mark.parametrize("parameters", [{}, {"bytes": ""}, {"bytes": "no base64!"}])
def test_an_upload_needs_an_image(graph: GraphCaller, parameters: dict[str, str]) -> None:
    error = graph.post(EDGE, **parameters)["error"]
    assert error["error_data"] == {"blame_field_specs": [["bytes"]]}


def test_images_are_listed_and_filtered_by_hash(graph: GraphCaller) -> None:
    upload(graph, one=GIF, two=GIF + b"2")
    page = graph.get(EDGE, hashes=json.dumps([GIF_HASH, "nobody's"]), fields="name,account_id")
    expected = {"id": f"1:{GIF_HASH}", "name": "one.gif", "account_id": "1"}
    assert page["data"] == [expected]
    assert graph.get(f"/1:{GIF_HASH}", fields="name,account_id") == expected


def test_the_same_content_is_one_image_of_each_account(graph: GraphCaller) -> None:
    upload(graph, one=GIF)
    upload(graph, again=GIF)
    assert hashes(graph.get(EDGE)) == [GIF_HASH]
    assert hashes(graph.get("/act_2/adimages")) == []


def test_a_deleted_image_can_be_uploaded_again(graph: GraphCaller) -> None:
    upload(graph, one=GIF)
    deleted = {"params": {"hash": GIF_HASH}}
    assert graph.call("DELETE", EDGE, **deleted).json() == {"success": True}
    assert graph.get(EDGE) == {"data": []}
    assert graph.call("DELETE", EDGE, **deleted).json()["error"]["error_subcode"] == 33
    assert graph.delete(EDGE)["error"]["error_data"] == {"blame_field_specs": [["hash"]]}
    upload(graph, one=GIF)
    assert hashes(graph.get(EDGE)) == [GIF_HASH]
