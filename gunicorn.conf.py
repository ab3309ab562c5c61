"""How gunicorn serves the web application: ``gunicorn wsgi:app`` reads this file by itself.

gunicorn takes the number of workers from ``WEB_CONCURRENCY`` (1) and the port from ``PORT``
(without it, 127.0.0.1:8000).
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from receiver.settings import SettingsError, load_settings

try:
    settings = load_settings()
except SettingsError as error:
    sys.exit(f"Error: {error}")

# Each web worker counts into a file of its own, and whichever is asked for metrics sums them all.
# The library looks for the folder when it is imported, as the application does. A reload reads
# this file again in the same process, and keeps the folder; a new gunicorn makes one of its own.
_OURS = f"receiver-metrics-{os.getpid()}-"
if not Path(os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")).name.startswith(_OURS):
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix=_OURS)

from prometheus_client import multiprocess  # noqa: E402  # it looks for the folder

from receiver import garbage  # noqa: E402  # as below
from receiver.app import check_start  # noqa: E402  # it imports the above
from receiver.secret_keys import SecretKeyMissing  # noqa: E402  # as above
from receiver.store.migrate import SchemaOutdated  # noqa: E402  # as above

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


def post_worker_init(_worker: object) -> None:
    """Keep the search for garbage out of the requests' way, once the application is loaded."""
    garbage.search_seldom()


def child_exit(_server: object, worker: Any) -> None:
    """Forget what was true only while a worker lived; what it counted goes on to count."""
    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]  # it has no types


def _remove_folder(*, made_by: int, folder: str) -> None:
    """Remove the metrics' folder at the end of gunicorn itself: a worker inherits this, too."""
    if os.getpid() == made_by:
        shutil.rmtree(folder, ignore_errors=True)


def on_exit(_server: object) -> None:
    """Remove the metrics' folder, also of a daemon, whose process is not the one that began."""
    shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)


# A start that fails ends without the hook.
atexit.register(_remove_folder, made_by=os.getpid(), folder=os.environ["PROMETHEUS_MULTIPROC_DIR"])
