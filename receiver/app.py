"""The web application: blueprints onto the parts."""

from __future__ import annotations

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from receiver.assembly import Parts, build
from receiver.logs import configure_logging
from receiver.settings import load_settings
from receiver.web import callback
from receiver.web.admin import queries
from receiver.web.context import attach
from receiver.web.gateway import routes


def create_app(parts: Parts | None = None) -> Flask:
    """Make the application, from the environment's settings unless the parts are given.

    Raises SettingsError.
    """
    if parts is None:
        parts = build(load_settings())
        configure_logging(parts.settings.log_level)
    settings = parts.settings
    app = Flask("receiver", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.request_body_limit_bytes
    # Werkzeug's own limit for a form field is far below ours, and ad_specs is one field.
    app.config["MAX_FORM_MEMORY_SIZE"] = settings.request_body_limit_bytes
    app.url_map.merge_slashes = False
    attach(app, parts)
    app.register_blueprint(callback.blueprint)
    app.register_blueprint(queries.blueprint)
    app.register_blueprint(routes.blueprint)
    if settings.trusted_proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]  # Flask's documented way to wrap
            app.wsgi_app, x_for=settings.trusted_proxies, x_proto=0
        )
    return app
