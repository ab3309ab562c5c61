"""How gunicorn serves the web application: ``gunicorn wsgi:app`` reads this file by itself.

gunicorn takes the number of workers from ``WEB_CONCURRENCY`` (1) and the port from ``PORT``
(without it, 127.0.0.1:8000).
"""

from __future__ import annotations

import sys
from typing import Any

from receiver.app import check_start
from receiver.secret_keys import SecretKeyMissing
from receiver.settings import SettingsError, load_settings
from receiver.store.migrate import SchemaOutdated

try:
    settings = load_settings()
except SettingsError as error:
    sys.exit(f"Error: {error}")

# Threads, which get a request once its head is here whole: one that drips keeps nobody out.
worker_class = "receiver.web.patient_worker.PatientWorker"
threads = settings.web_threads

# A listening socket for each worker. With one that is shared, connections that are kept alive
# often end up at a single worker: of two, one was idle, and the throughput a third.
reuse_port = True

# Proxies keep idle connections for about a minute. The side that closes first must be theirs, or
# a notification is sent into a connection that is just being closed, and lost.
keepalive = 75

# A create may wait for Facebook until the call's deadline (RECEIVER_GRAPH_DEADLINE_SECONDS).
# One that is cut off is not lost, but its outcome is unknown until it is found at Facebook.
graceful_timeout = 90

# For a worker whose main loop hangs; its threads may take longer over a request.
timeout = 30

# A Graph call may carry all of its parameters in the query. This is gunicorn's maximum.
limit_request_line = 8190

logger_class = "receiver.logs.ScrubbedLogger"

# Its default is a file in the home folder, which a container may not have.
control_socket_disable = True


def when_ready(server: Any) -> None:
    """Say where the service listens: with a socket for each worker, gunicorn itself does not."""
    addresses = [f"{one[0]}:{one[1]}" if isinstance(one, tuple) else one for one in server.address]
    server.log.info("Serving on %s", ", ".join(addresses))


def on_starting(_server: object) -> None:
    """Check the tables once, before any worker starts, and say in words what is wrong."""
    try:
        check_start(settings)
    except (SchemaOutdated, SecretKeyMissing) as error:
        sys.exit(f"Error: {error}")
