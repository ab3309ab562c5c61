"""The web application: blueprints onto the parts."""

from __future__ import annotations

from contextlib import closing

import structlog
from flask import Flask, Response, request
from werkzeug.middleware.proxy_fix import ProxyFix

from receiver import secret_keys
from receiver.assembly import Parts, build
from receiver.logs import configure_logging
from receiver.settings import Settings, load_settings, secret_values
from receiver.store import migrate
from receiver.store.database import DatabaseAway
from receiver.web import admin, callback, concealing, dashboard, health, metrics
from receiver.web.admin.openapi import make_app
from receiver.web.body import end_unread_body, was_parsed
from receiver.web.context import attach
from receiver.web.gateway import routes
from receiver.web.request import Request

log = structlog.get_logger(__name__)


def create_app(parts: Parts | None = None) -> Flask:
    """Make the application, from the environment's settings unless the parts are given.

    Raises SettingsError, SchemaOutdated, SecretKeyMissing.
    """
    if parts is None:
        settings = load_settings()
        configure_logging(settings.log_level, secrets=secret_values(settings))
        check_start(settings)
        parts = build(settings)
    settings = parts.settings
    app = make_app("receiver", static_folder=None, static_url_path="/static")
    app.config["MAX_CONTENT_LENGTH"] = settings.request_body_limit_bytes
    # Werkzeug's own limit for a form field is far below ours, and ad_specs is one field.
    app.config["MAX_FORM_MEMORY_SIZE"] = settings.request_body_limit_bytes
    app.url_map.merge_slashes = False
    app.request_class = Request
    attach(app, parts)
    app.register_blueprint(admin.openapi.docs)
    app.register_api(admin.blueprint)
    dashboard.install(app, parts.keys, is_https=settings.public_url.startswith("https:"))
    app.register_blueprint(health.blueprint)
    app.register_blueprint(metrics.blueprint)
    app.register_blueprint(routes.blueprint)
    concealing.install(app, secrets=secret_values(settings))
    app.after_request(_finish)
    app.wsgi_app = callback.NotificationEndpoint(app)  # type: ignore[method-assign]  # Flask's documented way to wrap
    if settings.trusted_proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]  # Flask's documented way to wrap
            app.wsgi_app, x_for=settings.trusted_proxies, x_proto=0
        )
    return app


def check_start(settings: Settings) -> None:
    """Check what a web service needs before it starts. Raises SchemaOutdated, SecretKeyMissing.

    Without its tables it would look as if its database were away, until somebody read the log;
    without a key that pending notification URLs need it would refuse Facebook.
    """
    with closing(build(settings)) as parts:
        try:
            migrate.check(parts.database)
            secret_keys.check(parts.database, parts.keys)
        except DatabaseAway as error:
            # It may come back: until then the service answers 503.
            log.warning("The database is away at the start", reason=str(error))


def _finish(response: Response) -> Response:
    if not was_parsed(request):
        end_unread_body(request.environ)
    metrics.count_response(response)
    return response
