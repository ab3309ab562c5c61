from __future__ import annotations

import gc
import warnings

import pytest

from tests.support.house import House

BOUNDARY = "x"


def part(name: str, content: str, *, filename: str | None = None) -> str:
    file = f'; filename="{filename}"' if filename else ""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
    return f"{head}{content}\r\n"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_form_that_is_refused_half_way_leaves_no_file_open(house: House) -> None:
    fields = "".join(part(f"f{number}", "x") for number in range(1200))
    body = part("file", "content", filename="a.bin") + fields + f"--{BOUNDARY}--\r\n"

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        answer = house.client.post(
            f"/act_1/adimages?access_token={house.key}",
            data=body,
            content_type=f"multipart/form-data; boundary={BOUNDARY}",
        )
        assert answer.status_code >= 400
        del answer
        gc.collect()

    assert [str(one.message) for one in caught if "Unclosed" in str(one.message)] == []
