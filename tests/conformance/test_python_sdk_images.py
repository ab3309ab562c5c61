"""The official Python SDK uploads images, from files and from bytes."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.adobjects.adimage import AdImage
from facebook_business.api import FacebookAdsApi
from facebook_business.exceptions import FacebookRequestError


@pytest.fixture
def default_api(api: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An api that the SDK uses where it passes none on."""
    monkeypatch.setattr(FacebookAdsApi, "_default_api", api)
    return api


def upload(account: Any, *, content: bytes) -> Any:
    return account.create_ad_image(params={"bytes": base64.b64encode(content).decode()})


def test_an_image_is_created_from_a_file(api: Any, account: Any, picture: Path) -> None:
    image = AdImage(parent_id="act_1", api=api)
    image[AdImage.Field.filename] = str(picture)
    image.remote_create()
    assert image.get_hash()
    assert [each["hash"] for each in account.get_ad_images()] == [image.get_hash()]


def test_an_account_creates_an_image_from_a_file(account: Any, picture: Path) -> None:
    image = account.create_ad_image(params={"filename": str(picture)})
    assert isinstance(image, AdImage)
    assert len(image["hash"]) == 32
    assert image["url"].startswith("http")


def test_bytes_and_a_file_with_the_same_content_are_one_image(account: Any, picture: Path) -> None:
    from_file = account.create_ad_image(params={"filename": str(picture)})
    from_bytes = upload(account, content=picture.read_bytes())
    assert from_bytes["hash"] == from_file["hash"]
    assert len(list(account.get_ad_images())) == 1


def test_other_content_is_another_image(account: Any, picture: Path) -> None:
    content = picture.read_bytes()
    hashes = {
        upload(account, content=content)["hash"],
        upload(account, content=content + b"\0")["hash"],
    }
    assert len(hashes) == 2
    assert {each["hash"] for each in account.get_ad_images()} == hashes


@pytest.mark.usefixtures("default_api")
def test_an_image_is_read_by_its_id(account: Any, picture: Path) -> None:
    account.create_ad_image(params={"filename": str(picture)})
    found = account.get_ad_images(fields=["id", "hash"]).get_one()
    assert found["id"] == f"1:{found['hash']}"
    again = AdImage(found["id"], parent_id="act_1")
    again.remote_read(fields=["hash", "account_id"])
    assert (again["hash"], again["account_id"]) == (found["hash"], "1")


def test_images_are_found_by_their_hashes(account: Any, picture: Path) -> None:
    content = picture.read_bytes()
    first, second = (
        upload(account, content=content)["hash"],
        upload(account, content=content + b"\0")["hash"],
    )
    found = account.get_ad_images(fields=["hash"], params={"hashes": [second]})
    assert [each["hash"] for each in found] == [second]
    assert list(account.get_ad_images(params={"hashes": ["0" * 32]})) == []
    assert first != second


def test_an_image_is_deleted_by_its_hash(account: Any, picture: Path) -> None:
    image_hash = upload(account, content=picture.read_bytes())["hash"]
    account.delete_ad_images(params={"hash": image_hash})
    assert list(account.get_ad_images()) == []


def test_an_image_of_one_account_is_not_in_another(api: Any, account: Any, picture: Path) -> None:
    upload(account, content=picture.read_bytes())
    assert list(AdAccount("act_2", api=api).get_ad_images()) == []


def test_an_image_goes_into_a_creative(account: Any, picture: Path) -> None:
    image_hash = upload(account, content=picture.read_bytes())["hash"]
    link = {"image_hash": image_hash, "link": "https://www.test12345.com", "message": "hello"}
    creative = account.create_ad_creative(
        params={"name": "one", "object_story_spec": {"page_id": "9", "link_data": link}}
    )
    creative.api_get(fields=["object_story_spec"])
    assert creative["object_story_spec"]["link_data"]["image_hash"] == image_hash


def test_an_upload_without_an_image_is_refused(account: Any) -> None:
    with pytest.raises(FacebookRequestError) as raised:
        account.create_ad_image(params={})
    assert (raised.value.http_status(), raised.value.api_error_code()) == (400, 100)
