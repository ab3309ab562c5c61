"""The system's Chromium at the dashboard of a receiver in this process, served over real HTTP."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Response,
    expect,
    sync_playwright,
)
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.support.dashboard import signed_in
from tests.support.house import House
from tests.support.programs import required_program

PHONE: Any = {"width": 390, "height": 800}
DESK: Any = {"width": 1280, "height": 900}

_PATIENCE_MS = 15_000
_COOKIE = "receiver_session"


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Run the system's Chromium; without one, the test is ``lacking`` it."""
    path = required_program("chromium", "chromium-browser")
    expect.set_options(timeout=_PATIENCE_MS)
    # Its sandbox needs rights that root in a container has not.
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=options)
        try:
            yield browser
        finally:
            browser.close()


class _SilentHandler(WSGIRequestHandler):
    """Writes no line for each request: what a test prints is read by people."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002  # the library's name
        pass


@contextmanager
def served(house: House, *, port: int = 0) -> Iterator[str]:
    """Serve a receiver's web application, on a free port unless told otherwise; yield its URL."""
    app = house.client.application
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=_SilentHandler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Visitor:
    """Somebody in front of a browser window of their own, with a cookie jar of their own."""

    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)
    """What the browser said in its console, and what it refused to load or run."""
    _pages_seen: set[str] = field(default_factory=set)

    def open(self, path: str) -> Page:
        """Open a page of the dashboard."""
        self.page.goto(f"/admin{path}")
        return self.page

    def press_button(self, name: str) -> Page:
        """Press the button of that name."""
        self.page.get_by_role("button", name=name, exact=True).click()
        return self.page

    def heading(self) -> str:
        """What stands over the page."""
        return self.page.locator("h1").inner_text()

    def listen(self) -> None:
        """Keep what the browser complains of from now on."""
        self.page.on("response", self._note_page)
        self.page.on("console", self._note_console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note_page(self, response: Response) -> None:
        if response.request.is_navigation_request():
            self._pages_seen.add(response.url)

    def _note_console(self, message: ConsoleMessage) -> None:
        # A page that says what is wrong has a status that says so too, which the console repeats.
        is_status = message.text.startswith("Failed to load resource: the server responded with")
        if is_status and message.location["url"] in self._pages_seen:
            return
        self.complaints.append(f"{message.type}: {message.text}")


@dataclass
class Site:
    """A served receiver, and the browser with which people visit it."""

    house: House
    url: str
    browser: Browser
    visitors: list[Visitor] = field(default_factory=list)

    def visitor(self, **options: Any) -> Visitor:
        """Somebody who has not signed in; ``options`` are those of a browser's context."""
        wanted = {"viewport": DESK, "locale": "en-GB", "timezone_id": "UTC", **options}
        context = self.browser.new_context(base_url=self.url, **wanted)
        context.set_default_timeout(_PATIENCE_MS)
        visitor = Visitor(context, context.new_page())
        visitor.listen()
        self.visitors.append(visitor)
        return visitor

    def member(self, **options: Any) -> Visitor:
        """Somebody who has signed in with the house's key."""
        visitor = self.visitor(**options)
        cookie = signed_in(self.house).client.get_cookie(_COOKIE, path="/admin")
        assert cookie is not None
        visitor.context.add_cookies(
            [{"name": _COOKIE, "value": cookie.value, "domain": "127.0.0.1", "path": "/admin"}]
        )
        return visitor

    def leave(self) -> None:
        """Close every window."""
        for visitor in self.visitors:
            visitor.context.close()

    def complaints(self) -> list[str]:
        """What browsers complained of at any visitor's page."""
        return [one for visitor in self.visitors for one in visitor.complaints]


@contextmanager
def site(house: House, browser: Browser, *, refresh_ms: int = 150) -> Iterator[Site]:
    """Serve a house whose open pages refresh quickly, and see that no browser complained."""
    house.client.application.config["DASHBOARD_REFRESH_MS"] = refresh_ms
    with served(house) as url:
        opened = Site(house, url, browser)
        try:
            yield opened
        finally:
            opened.leave()
        assert opened.complaints() == []
