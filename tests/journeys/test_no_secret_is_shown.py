"""Secrets are planted wherever anybody can put a text; no page, answer or log line shows one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from sqlalchemy import select

from receiver.store import accounts
from receiver.store.models import Delivery, Notification, Request
from tests.support.house import SECRET_KEY, TOKEN, ad
from tests.support.processes import TALKATIVE, Customer, Installation, call, eventually
from tests.support.sandbox import SandboxControl, listening

APP_SECRET = "5f4dcc3b5aa765d61d8327deb882cf99"
METRICS_TOKEN = "metrics-token-of-the-platform"
DATABASE_PASSWORD = "hunter2-of-the-database"
HOOK_PASSWORD = "password-of-the-hook"
HOOK_QUERY = "secret-of-the-hook"
_CREATE = {"method": "POST", "path": "/asyncadrequestsets$"}
_CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')
_LINK = re.compile(r'(?:href|src)="(/admin/[^"#]*)"')
_API_LISTS = ("request-sets", "requests", "notifications", "looks", "deliveries", "audit")
_API_FIGURES = ("integrity", "accounts", "outcomes", "errors")


def with_password(database_url: str) -> str:
    """The same database, asked for with a password; PostgreSQL under test asks for none."""
    return database_url.replace("//postgres@", f"//postgres:{DATABASE_PASSWORD}@")


@pytest.fixture
def guarded(database_url: str, tmp_path: Path, sandbox: SandboxControl) -> Iterator[Installation]:
    """A receiver whose processes say all that they can."""
    url = with_password(database_url)
    installation = Installation(tmp_path, database_url=url, sandbox=sandbox)
    installation.set(metrics_token=METRICS_TOKEN, log_level="debug")
    try:
        installation.start_web(*TALKATIVE)
        installation.start_worker()
        yield installation
    finally:
        installation.close()


@dataclass
class Reader:
    """Somebody who signed in, and reads every page that any page leads to."""

    customer: Customer
    session: requests.Session
    seen: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **headers: str) -> str:
        answer = self.session.get(self.customer.installation.url + path, headers=headers)
        self.seen[path] = answer.text + str(sorted(answer.headers.items()))
        return answer.text

    def post(self, path: str, **fields: str) -> None:
        """Send a form as the page of that set holds it."""
        token = _CSRF.search(self.get("/admin/audit"))
        assert token is not None
        url = self.customer.installation.url + path
        shown = self.session.post(url, data={"csrf_token": token[1], **fields})
        self.seen[f"after {path}"] = shown.text

    def sign_in(self) -> str:
        """Sign in, and return the value of the cookie."""
        form = _CSRF.search(self.get("/admin/sign-in"))
        assert form is not None
        url = f"{self.customer.installation.url}/admin/sign-in"
        self.session.post(url, data={"csrf_token": form[1], "key": self.customer.key})
        cookie: str = self.session.cookies["receiver_session"]
        return cookie

    def read_everything(self) -> None:
        """Follow every link from the overview on, but those to files and of the API."""
        left = ["/admin/"]
        while left:
            path = left.pop().replace("&amp;", "&")
            if path not in self.seen and not path.startswith(("/admin/static", "/admin/api")):
                found = self.get(path)
                # What a stranger sent is downloaded byte by byte: it is theirs, tokens and all.
                left += [one for one in _LINK.findall(found) if not one.endswith("/raw")]

    def read_api(self) -> None:
        """Read every list and figure of the API, and each row by itself."""
        key = {"Authorization": f"Bearer {self.customer.key}"}
        for name in (*_API_LISTS, *_API_FIGURES):
            self.get(f"/admin/api/{name}", **key)
        for name in ("request-sets", "notifications", "deliveries"):
            for number in range(1, 12):
                self.get(f"/admin/api/{name}/{number}", **key)
        for path in ("openapi.json", "docs", "unknown", "request-sets?state=happy"):
            self.get(f"/admin/api/{path}", **key)

    def read_probes(self) -> None:
        self.get("/metrics", Authorization=f"Bearer {METRICS_TOKEN}")
        self.get("/metrics")
        self.get("/health/live")
        self.get("/health/ready")


def give_app_secret(customer: Customer) -> None:
    keys = customer.installation.parts.keys
    with customer.installation.parts.database.writing() as session:
        accounts.put_accounts(
            session,
            [int(customer.account)],
            sealed_token=keys.seal(TOKEN),
            sealed_app_secret=keys.seal(APP_SECRET),
            now=customer.installation.parts.now(),
        )


def sentences(customer: Customer, cookie: str) -> list[str]:
    """Texts that somebody might paste anywhere, each with a secret in it."""
    return [
        f"Sale with {TOKEN}",
        f"Sale with {customer.key}",
        f"Sale with {SECRET_KEY}",
        f"Sale with {METRICS_TOKEN}",
        f"Sale of app_secret={APP_SECRET}",
        f"Sale with receiver_session={cookie}",
        f"Sale at postgresql://receiver:{DATABASE_PASSWORD}@db/name",
    ]


def create_with(customer: Customer, texts: list[str], *, hook: str) -> None:
    """Plant texts into names and specs of sets whose second ad fails and whose caller is told."""
    for text in texts:
        answer = customer.call(
            "POST",
            f"/v21.0/act_{customer.account}/asyncadrequestsets",
            json={
                "name": text,
                "ad_specs": [ad(text), ad(f"fail {text}")],
                "notification_uri": hook,
                "notification_mode": "ON_COMPLETE",
            },
        )
        assert answer.status_code == 200, answer.text


def be_refused_with(customer: Customer, texts: list[str]) -> None:
    """Let Facebook's errors repeat texts: of a create, and of one whose outcome is not known."""
    message = f"You sent {APP_SECRET}, which is no secret. " + " ".join(texts)
    for number, kind in enumerate(({"code": 100}, {"code": 2, "http_status": 500})):
        account = f"act_{customer.account}"
        rule = {**kind, "message": message, "account": account, **_CREATE}
        customer.sandbox.trouble("graph_error", **rule)
        assert customer.create(name=f"Refused {number}").status_code >= 400


def notify_with(customer: Customer, texts: list[str]) -> str:
    """Plant texts into bodies, headers and queries of notifications; return the URL's token."""
    uri = customer.notification_uri()
    for text in [*texts, f"It went to {uri}"]:
        headers = {"X-Text": text, "Authorization": f"Bearer {customer.key}", "Cookie": text}
        answer = call("POST", uri, params={"text": text}, data=text, headers=headers)
        assert answer.status_code == 200
    return urlsplit(uri).path.rpartition("/")[2]


def give_up_with(reader: Reader, texts: list[str]) -> None:
    """Plant texts into reasons: the set without an outcome is given up, then no more."""
    (unknown,) = (row.id for row in reader.customer.sets() if row.state == "unknown")
    for text in texts:
        reader.post(f"/admin/request-sets/{unknown}/abandon", reason=text[:200])
    reader.post("/admin/plans?name=Sale", action="collect")


def secrets_in(text: str, secrets: dict[str, Any]) -> list[str]:
    return [name for name, secret in secrets.items() if secret in text]


@pytest.mark.parametrize(
    "database_url",
    ["sqlite", pytest.param("postgresql", marks=pytest.mark.drill)],
    indirect=True,
)
def test_what_is_planted_everywhere_is_found_nowhere(guarded: Installation) -> None:
    customer = guarded.add_customer("912345")
    is_guarded_by_password = DATABASE_PASSWORD in guarded.database_url
    give_app_secret(customer)
    with listening(body=f"Thanks for {HOOK_QUERY} and {TOKEN}".encode()) as hook, Session() as http:
        reader = Reader(customer, http)
        cookie = reader.sign_in()
        texts = sentences(customer, cookie)
        host = hook.url.removeprefix("http://")
        hook_url = f"http://user:{HOOK_PASSWORD}@{host}/hook?key={HOOK_QUERY}"
        create_with(customer, texts, hook=hook_url)
        token = notify_with(customer, texts)
        customer.wait_for_state()
        hook.wait_for(len(texts))
        be_refused_with(customer, texts)
        give_up_with(reader, texts)
        wait_until_told(customer, sets=len(texts))
        reader.read_everything()
        reader.read_api()
        reader.read_probes()
        log_of_web, log_of_worker = guarded.log("web"), guarded.log("worker-1")

    secrets = {
        "Facebook's token": TOKEN,
        "the app's secret": APP_SECRET,
        "the caller's key": customer.key,
        "the notification token": token,
        "the secret key": SECRET_KEY,
        "the metrics token": METRICS_TOKEN,
        "the session": cookie,
        # SQLite has none: there it is any word.
        **({"the database's password": DATABASE_PASSWORD} if is_guarded_by_password else {}),
        "the hook's password": HOOK_PASSWORD,
        "the hook's query": HOOK_QUERY,
    }
    places = {**reader.seen, "web": log_of_web, "worker": log_of_worker}
    shown = {path: secrets_in(text, secrets) for path, text in places.items()}
    leaks = sorted((path, found) for path, found in shown.items() if found)
    assert not leaks, "\n".join(map(str, leaks))
    assert_read(reader, customer)


class Session(requests.Session):
    """A browser's cookies, and no proxy between."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False


def wait_until_told(customer: Customer, *, sets: int) -> None:
    """Wait until every caller was told."""

    def told() -> bool:
        with customer.installation.parts.database.reading() as session:
            states = list(session.scalars(select(Delivery.state)))
            return states == ["delivered"] * sets

    eventually(told, what="every delivery")


def assert_read(reader: Reader, customer: Customer) -> None:
    """See that the planted texts were there to be found: stored, and on the pages without them."""
    assert any(TOKEN.encode() in row.body for row in customer.rows(Notification))
    assert len(customer.rows(Request)) >= 2
    pages = " ".join(reader.seen.values())
    assert "Sale with" in pages
    assert "(hidden)" in pages
    assert "/admin/notifications/1" in reader.seen
    assert "Chosen by" in reader.seen["after /admin/plans?name=Sale"]
