"""A Django project with dj-stripe's webhook endpoint and nothing else.

It runs in the environment of ``requirements.txt``: ``python -m …`` makes the tables and the
endpoint's row, gunicorn serves ``application``. Whatever could make it slower than it must be is
left out: no middleware, a connection for each thread that is kept, and events are not processed in
the request. So its view looks the endpoint up, stores the trigger, checks the signature and stores
that the trigger is valid.
"""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.urls import include, path

_BUSY_SECONDS = 5.0


def hand_over(_trigger: object, **_named: object) -> None:
    """What dj-stripe calls with an event instead of processing it: a queue's place."""


def _database(url: str) -> dict[str, Any]:
    if url.startswith("sqlite"):
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": url.removeprefix("sqlite:///"),
            "CONN_MAX_AGE": None,
            "OPTIONS": {
                "timeout": _BUSY_SECONDS,
                "transaction_mode": "IMMEDIATE",
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL",
            },
        }
    server = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": server.path.removeprefix("/"),
        "HOST": server.hostname,
        "PORT": server.port or 5432,
        "USER": server.username,
        "PASSWORD": server.password or "",
        "CONN_MAX_AGE": None,
    }


settings.configure(
    SECRET_KEY="a benchmark's own",  # noqa: S106  # it signs nothing
    DEBUG=False,
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=[],
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "djstripe"],
    DATABASES={"default": _database(os.environ["BENCHMARK_DATABASE_URL"])},
    # The tables are made from the models at once: its migrations take half a minute, to the same.
    MIGRATION_MODULES={"auth": None, "contenttypes": None, "djstripe": None},
    USE_TZ=True,
    # Without an owner account, nothing asks Stripe for anything.
    STRIPE_TEST_SECRET_KEY="sk_test_" + 24 * "0",
    DJSTRIPE_FOREIGN_KEY_TO_FIELD="id",
    DJSTRIPE_WEBHOOK_EVENT_CALLBACK=hand_over,
)

application = get_wsgi_application()
urlpatterns = [path("stripe/", include("djstripe.urls", namespace="djstripe"))]


def prepare() -> None:
    """Make the tables and the endpoint, which checks signatures, as it does by default."""
    from djstripe.models import WebhookEndpoint  # noqa: PLC0415  # Django has to be set up first

    call_command("migrate", run_syncdb=True, verbosity=0)
    WebhookEndpoint.objects.create(
        id="we_benchmark",
        livemode=False,
        api_version=django.get_version(),
        enabled_events=["*"],
        secret=os.environ["BENCHMARK_WEBHOOK_SECRET"],
        status="enabled",
        url="http://127.0.0.1/",
        djstripe_uuid=os.environ["BENCHMARK_WEBHOOK_ID"],
    )


if __name__ == "__main__":
    prepare()
