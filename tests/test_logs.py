from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.cli.processes import plain_environment
from receiver.crypto import Keys
from receiver.logs import scrub
from tests.support.databases import fresh_database_url

ROOT = Path(__file__).parent.parent
TOKEN = Keys(["k" * 32]).sign_token(intent=12, attempt=1)
API_KEY = "rcv_FaSrAWmkgLV5jxffTNjTQzM2VMc34grQoyQz5VQW7FY"
FACEBOOK_TOKEN = "EAAGm0PX4ZCpsBAKZCZBzZCfQ8r6lqZAdfJ"
APP_TOKEN = "1234567890|AbCdEfGhIjKlMnOpQrStUvWx"
PROOF = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
SECRETS = [TOKEN, API_KEY, FACEBOOK_TOKEN, APP_TOKEN, PROOF]

AROUND_NAMED = [
    "GET /v21.0/me?access_token={}&limit=5 HTTP/1.1",
    "limit=5&appsecret_proof={}",
    "/debug_token?input_token={}",
    '{{"access_token": "{}", "limit": 5}}',
    '{{"body": "{{\\"access_token\\":\\"{}\\"}}"}}',
    "{{'client_secret': '{}'}}",
    "[('access_token', '{}')]",
    "{{b'access_token': b'{}'}}",
    "relative_url=me%3Faccess_token%3D{}",
    "%7B%22access_token%22%3A%22{}%22%7D",
    "app_secret = {}",
    "access_token%3d{}",
    "password={}",
    "&#34;access_token&#34;: &#34;{}&#34;",
    "Authorization: Bearer {}",
    "authorization: OAuth {}",
    "{{'Authorization': 'Bearer {}'}}",
    "('AUTHORIZATION', '{}')",
    "HTTP_AUTHORIZATION=Token {}",
]
AROUND_NAMELESS = [
    "https://host/notifications/{}",
    "POST /base/notifications/{}?id=5 HTTP/1.1",
    "uri=https%3A%2F%2Fhost%2Fnotifications%2F{}",
    "https://user:{}@host/name",
    "https://user:a,{}@host/name",
    "Bearer {}",
]


@pytest.mark.parametrize("around", AROUND_NAMED + AROUND_NAMELESS)
@pytest.mark.parametrize("secret", [*SECRETS, "hunter2hunter2hunter2"])
def test_a_secret_is_known_by_what_stands_around_it(around: str, secret: str) -> None:
    assert secret not in scrub(around.format(secret))


@pytest.mark.parametrize("around", AROUND_NAMED)
def test_a_short_secret_is_known_by_its_name(around: str) -> None:
    assert "hunter2" not in scrub(around.format("hunter2"))


@pytest.mark.parametrize("secret", [TOKEN, API_KEY, FACEBOOK_TOKEN, APP_TOKEN])
@pytest.mark.parametrize("around", ["{}", "a\\n{}\\nb", "x{}", "'{}'", "%3D{}%26", "({})"])
def test_a_token_is_known_by_its_form_wherever_it_stands(around: str, secret: str) -> None:
    assert secret not in scrub(around.format(secret))
    assert secret.replace("|", "%7C") not in scrub(around.format(secret.replace("|", "%7C")))


def test_every_secret_key_in_an_environment_is_taken_out() -> None:
    assert scrub("raw_env: ['RECEIVER_SECRET_KEYS=first,second', 'A=b']") == (
        "raw_env: ['RECEIVER_SECRET_KEYS=***', 'A=b']"
    )


def test_the_token_of_the_metrics_is_taken_out_of_an_environment() -> None:
    assert scrub("RECEIVER_METRICS_TOKEN=hunter2,hunter3 A=b") == "RECEIVER_METRICS_TOKEN=*** A=b"


def test_what_is_no_secret_stays() -> None:
    text = "GET /v21.0/act_123/asyncadrequestsets?access_token=abc&limit=5 set=6012384857989 1|2"
    assert scrub(text) == text.replace("abc", "***")
    assert scrub("the token expired; renew the authorization, then retry") == (
        "the token expired; renew the authorization, then retry"
    )


@given(st.text(), st.sampled_from(SECRETS), st.text())
def test_a_scrubbed_text_stays_as_it_is(before: str, secret: str, after: str) -> None:
    once = scrub(f"{before}access_token={secret} {after}")
    assert scrub(once) == once


def logged(statements: str, *, level: str = "debug") -> list[str]:
    """Return what a process of its own writes to standard error."""
    program = (
        "import logging, sys, threading, structlog\n"
        "from receiver.logs import configure_logging\n"
        f"configure_logging({level!r})\n"
        "log = structlog.get_logger('receiver.example')\n"
        f"{statements}"
    )
    done = subprocess.run(  # its output is what is tested
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False
    )
    return done.stderr.splitlines()


def test_an_event_is_one_line_of_keys_and_values() -> None:
    (line,) = logged("log.info('A set is open', request_set_id=12, ok=True)")
    assert re.fullmatch(
        r"timestamp=\S+Z level=info event=\"A set is open\" logger=receiver\.example "
        r"request_set_id=12 ok=true",
        line,
    )


def test_no_value_can_begin_a_line_of_its_own() -> None:
    (line,) = logged(r"log.info('x', body='a\nb\rc\x1b[0m\u2028d')")
    assert r"a\nb\x0dc\x1b[0m\x2028d" in line


@pytest.mark.parametrize("logger", ["log", "logging.getLogger('x')"])
def test_an_event_says_what_the_work_under_way_is_about(logger: str) -> None:
    about = "structlog.contextvars.bound_contextvars(request_set_id=12, account_id=34)"
    inside, outside = logged(f"with {about}: {logger}.info('a')\n{logger}.info('b')")
    assert {"request_set_id=12", "account_id=34"} <= set(inside.split())
    assert "request_set_id" not in outside


def test_an_event_is_scrubbed_in_every_field() -> None:
    (line,) = logged(f"log.info('at %s', {TOKEN!r}, url='/notifications/{TOKEN}', key={API_KEY!r})")
    assert TOKEN not in line
    assert API_KEY not in line


def test_this_process_own_secrets_stand_in_no_line_whatever_stands_around_them() -> None:
    own = "a-secret-without-a-form"
    again = f"configure_logging('debug', secrets=[{own!r}])\n"
    lines = logged(f"{again}log.info('x', name='Sale {own}')\nlogging.warning('%s!', {own!r})")
    assert [own in line for line in lines] == [False, False]
    assert ['Sale ***"' in lines[0], "***!" in lines[1]] == [True, True]


def test_an_event_of_a_library_is_scrubbed() -> None:
    (line,) = logged(f"logging.getLogger('urllib3').debug('GET %s', '/me?access_token={PROOF}')")
    assert "logger=urllib3" in line
    assert "access_token=***" in line
    assert PROOF not in line


@pytest.mark.parametrize("logger", ["log", "logging.getLogger('x')"])
def test_a_traceback_is_scrubbed_and_stands_on_the_events_line(logger: str) -> None:
    (line,) = logged(
        f"try: raise ValueError('token {FACEBOOK_TOKEN}')\n"
        f"except ValueError: {logger}.exception('It failed')"
    )
    assert "ValueError: token ***" in line
    assert FACEBOOK_TOKEN not in line


@pytest.mark.parametrize(
    "start", ["fail()", "threading.Thread(target=fail).start()"], ids=["process", "thread"]
)
def test_an_error_that_nobody_caught_is_logged_and_scrubbed(start: str) -> None:
    (line,) = logged(f"def fail(): raise ValueError('token {FACEBOOK_TOKEN}')\n{start}")
    assert "level=critical" in line
    assert FACEBOOK_TOKEN not in line


def test_an_event_that_cannot_be_written_shows_nothing_of_what_it_holds() -> None:
    (line,) = logged(f"logging.getLogger('x').info('%s %s', {PROOF!r})")
    assert line == 'level=error event="An event could not be written" logger=x line=5'


def test_events_below_the_level_are_not_written() -> None:
    statements = "log.debug('a'); logging.getLogger('x').info('b'); log.warning('c')"
    (line,) = logged(statements, level="warning")
    assert "event=c" in line


APPLICATION = """
import logging

def app(environ, start_response):
    logging.getLogger("gunicorn.error").warning("%(missing)s %s", environ["RAW_URI"])
    if "fail" in environ["QUERY_STRING"]:
        raise ValueError(environ["RAW_URI"] + str(sorted(environ.items(), key=str)))
    start_response("200 OK", [("Content-Length", "2"), ("X-Echo", environ["RAW_URI"])])
    return [b"OK"]
"""
ACCESS_FORMAT = (
    '%(h)s %(u)s "%(r)s" %(m)s %(U)s %(q)s %(f)s %(a)s %({authorization}i)s %({x-echo}o)s '
    "%({raw_uri}e)s %({http_authorization}e)s"
)


@contextmanager
def gunicorn_running(folder: Path, *arguments: str) -> Iterator[int]:
    """Run gunicorn with our configuration and yield its port; its output goes to ``log``."""
    (folder / "application.py").write_text(APPLICATION)
    with (
        socket.socket() as reserved,
        (folder / "log").open("wb") as log,
        tempfile.TemporaryDirectory() as elsewhere,
        fresh_database_url("sqlite", Path(elsewhere)) as database_url,
    ):
        # The port is held without listening: gunicorn shares it, and nobody else is given it.
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        reserved.bind(("127.0.0.1", 0))
        port: int = reserved.getsockname()[1]
        command = [
            *(sys.executable, "-m", "gunicorn", "application:app"),
            *("--config", str(ROOT / "gunicorn.conf.py"), "--pythonpath", f"{ROOT},{folder}"),
            *("--bind", f"127.0.0.1:{port}", *arguments),
        ]
        environment = plain_environment() | {
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(folder),
            "RECEIVER_DATABASE_URL": database_url,
            "RECEIVER_PUBLIC_URL": "https://receiver.example",
            "RECEIVER_SECRET_KEYS": "0123456789abcdef0123456789abcdef",
        }
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            wait_for(port, process, folder / "log")
            yield port
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"gunicorn does not answer: {log.read_text()}")


def call(port: int, target: str, **headers: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("POST", target, headers=headers)
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


def test_gunicorn_prints_no_secret_whatever_its_log_format_and_level(tmp_path: Path) -> None:
    arguments = ("--access-logfile", "-", "--access-logformat", ACCESS_FORMAT)
    with gunicorn_running(tmp_path, *arguments, "--log-level", "debug") as port:
        for number in range(3):
            assert call(port, f"/notifications/{TOKEN}?number={number}") == 200
        query = f"access_token={FACEBOOK_TOKEN}&appsecret_proof={PROOF}&input_token={APP_TOKEN}"
        assert call(port, f"/v21.0/me?{query}", Referer=f"https://host/?{query}") == 200
        assert call(port, "/v21.0/me", Authorization=f"Bearer {API_KEY}", cookie=API_KEY) == 200
        assert call(port, f"/notifications/{TOKEN}?fail&{query}", Authorization=API_KEY) == 500
        with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
            sock.sendall(f"POST /notifications/{TOKEN} NONSENSE/{TOKEN}\r\n\r\n".encode())
            assert sock.recv(12) == b"HTTP/1.1 400"
    log = (tmp_path / "log").read_text()
    for secret in SECRETS:
        assert secret not in log
    assert '"POST /notifications/***?number=2 HTTP/1.1"' in log
    assert "Traceback" in log
    assert "ValueError" in log


def test_gunicorns_log_stays_scrubbed_under_another_log_configuration(tmp_path: Path) -> None:
    handler = {"class": "logging.StreamHandler", "formatter": "plain"}
    logger = {"level": "DEBUG", "handlers": ["console"], "propagate": False}
    config = {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"plain": {"format": "own %(message)s"}},
        "handlers": {"console": handler},
        "root": {"level": "DEBUG", "handlers": ["console"]},
        "loggers": {"gunicorn.error": logger, "gunicorn.access": logger},
    }
    (tmp_path / "logging.json").write_text(json.dumps(config))
    with gunicorn_running(tmp_path, "--log-config-json", str(tmp_path / "logging.json")) as port:
        assert call(port, f"/notifications/{TOKEN}?fail") == 500
        assert call(port, f"/notifications/{TOKEN}") == 200
    log = (tmp_path / "log").read_text()
    assert "own " in log
    assert TOKEN not in log


def test_gunicorn_writes_no_file_of_its_own(tmp_path: Path) -> None:
    with gunicorn_running(tmp_path) as port:
        assert call(port, "/") == 200
        names = {path.name for path in tmp_path.iterdir()}
    assert names <= {"application.py", "log", "__pycache__"}
