"""The dashboard: pages for the people who run the receiver."""

from __future__ import annotations

from flask import Flask
from flask_bootstrap import Bootstrap5

from receiver.crypto import Keys
from receiver.web.dashboard import acts, overview, pages, sessions, sign_in, words
from receiver.web.dashboard.blueprint import add_headers, blueprint, csrf

__all__ = ["acts", "install", "overview", "pages", "sign_in"]

REFRESH_MS = 5000
"""How often an open page asks for what has changed of it."""


def install(app: Flask, keys: Keys, *, is_https: bool) -> None:
    """Give an application the dashboard, with assets that it serves itself."""
    sessions.configure(app, keys, is_https=is_https)
    app.config["BOOTSTRAP_SERVE_LOCAL"] = True
    app.config["DASHBOARD_REFRESH_MS"] = REFRESH_MS
    Bootstrap5(app)
    csrf.init_app(app)
    app.jinja_env.globals["words"] = words
    app.register_blueprint(blueprint)
    app.after_request(add_headers)
