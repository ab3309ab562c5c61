"""What is taken out of every answer for people, and what stays as it is."""

from __future__ import annotations

import base64
import csv
import io
import json

import pytest

from receiver.crypto import Keys
from receiver.web.concealing import conceal
from tests.support.dashboard import person
from tests.support.house import House

TOKEN = Keys(["k" * 32]).sign_token(intent=12, attempt=1)
API_KEY = "rcv_FaSrAWmkgLV5jxffTNjTQzM2VMc34grQoyQz5VQW7FY"
FACEBOOK_TOKEN = "EAAGm0PX4ZCpsBAKZCZBzZCfQ8r6lqZAdfJ"
APP_TOKEN = "1234567890|AbCdEfGhIjKlMnOpQrStUvWx"
OWN = "a-secret-of-this-process"


def concealed(text: str) -> str:
    return conceal(text.encode(), secrets=[OWN]).decode()


@pytest.mark.parametrize("secret", [TOKEN, API_KEY, FACEBOOK_TOKEN, APP_TOKEN, OWN])
@pytest.mark.parametrize(
    "around",
    [
        "{}",
        '"name": "Sale {}"',
        "<td>{}</td>",
        "<code>{{&#34;token&#34;: &#34;{}&#34;}}</code>",
        '"body": "{{\\"token\\":\\"{}\\"}}"',
        "?text=Sale+with+{}",
        "https://host/notifications/{}",
        "%2fnotifications%2f{}",
        "uri%3d{}",
    ],
)
def test_a_secret_is_known_by_itself_or_by_its_form(secret: str, around: str) -> None:
    assert secret not in concealed(around.format(secret))


@pytest.mark.parametrize("secret", [TOKEN, API_KEY, FACEBOOK_TOKEN, APP_TOKEN])
@pytest.mark.parametrize("before", ["\n", "\t", "\r\n", "\f", "\b", "\x00", "\u2028"], ids=repr)
def test_what_json_escapes_hides_no_secret_behind_it(secret: str, before: str) -> None:
    text = json.dumps({"body": f"token:{before}{secret}"})

    assert secret not in concealed(text)
    assert secret not in concealed(json.dumps(text))


@pytest.mark.parametrize(
    "around",
    [
        "access_token={}&limit=5",
        "access_token%3d{}",
        "Access_Token={}",
        "password={}&user=receiver",
        "/debug_token?input_token={}",
        "[('access_token', '{}')]",
        "app_secret%3D{}",
        '\\"client_secret\\": \\"{}\\"',
        "&#34;appsecret_proof&#34;: &#34;{}&#34;",
        "Cookie: other=1; receiver_session={}; more=2",
        "postgresql://receiver:{}@host/name",
    ],
)
def test_a_secret_without_a_form_is_known_by_what_stands_before_it(around: str) -> None:
    shown = concealed(around.format("hunter2hunter2"))

    assert "hunter2" not in shown
    assert shown == around.format("(hidden)")


def test_the_exact_bytes_of_a_notification_stay_exact() -> None:
    looks_like_a_token = base64.b64encode(base64.b64decode("+EAAG" + "m0PX4ZCpsBAKZCZBzZCfQ8r"))
    text = f'{{"body_base64":"{looks_like_a_token.decode()}","repeats":0}}'

    assert concealed(text) == text


def test_the_cells_of_a_table_stay_apart() -> None:
    line = "feed://a:7,0,ERROR,to-a@b.c is wrong"

    assert concealed(line) == line
    assert len(next(csv.reader(io.StringIO(concealed(line))))) == 4


@pytest.mark.parametrize(
    "text",
    [
        '<input id="key" name="key" type="password" required>',
        "Send a key: Authorization: Bearer <key>.",
        "/admin/notifications/12",
        "RECEIVER_SECRET_KEYS: put it back",
        "Basic retargeting-campaign-of-autumn",
        "EAA is short, rcv_… is an example",
        "act_71597454 of 137,956 ads",
        "https://host:8000/hook",
        '{"next_cursor":"WyJjcmVhdGVkX2F0Il0","state":"open"}',
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert concealed(text) == text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_page_to_sign_in_tells_nobody_whether_a_guess_is_a_secret(house: House) -> None:
    secret = house.parts.settings.secret_keys[0].get_secret_value()

    for guess in (secret, secret[::-1] + "x"):
        page = person(house).get("/sign-in", next=f"/admin/{guess}").text
        assert f'name="next" value="/admin/{guess}"' in page


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_secret_that_a_name_holds_is_hidden_from_who_does_not_know_it(house: House) -> None:
    secret = house.parts.settings.secret_keys[0].get_secret_value()
    house.create_open(name=f"Sale {secret}")

    assert secret not in house.get("/admin/api/request-sets").text
