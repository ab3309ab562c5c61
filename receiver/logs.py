"""One line per event, in key=value, and no secret in any of them.

Secrets are taken out by pattern, out of the finished line: whoever logged it, whatever the field,
in a traceback too. A pattern takes rather too much than too little.
"""

from __future__ import annotations

import contextlib
import logging
import re
import sys
import threading
import traceback
from collections.abc import Sequence
from types import TracebackType
from typing import Any

import structlog
from gunicorn.glogging import Logger  # type: ignore[import-untyped]  # gunicorn ships no types
from structlog.stdlib import ProcessorFormatter
from structlog.typing import Processor

from receiver.secret_forms import FORMS, FORMS_IN_LOGS

_MASK = "***"

_PATTERNS = [re.compile(form.anywhere, re.IGNORECASE) for form in (*FORMS_IN_LOGS, *FORMS)]
_CONTROL_CHARACTERS = {
    code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)
}


_known: tuple[str, ...] = ()


def scrub(text: str) -> str:
    """Return a text without this process's secrets, and without what looks or is named like one."""
    for secret in _known:
        text = text.replace(secret, _MASK)
    for pattern in _PATTERNS:
        text = pattern.sub(rf"\g<kept>{_MASK}", text)
    return text


def configure_logging(level: str, *, secrets: Sequence[str] = ()) -> None:
    """Write the events of this process from ``level`` on to its standard error.

    Events of the libraries take the same way, and so does what nobody caught. ``secrets`` are this
    process's own, which stand in no line.
    """
    global _known  # noqa: PLW0603  # one process has one log
    _known = tuple(secrets)
    handler = _StandardErrorHandler()
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=_PREPARE,
            processors=[ProcessorFormatter.remove_processors_meta, _RENDER, _scrub_line],
        )
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # Alembic tells at this level how it was set up, at every check of the tables.
    logging.getLogger("alembic.runtime.migration").setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *_PREPARE,
            ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread


_PREPARE: list[Processor] = [
    # What the work under way is about: a set and its account, in the lines of libraries too.
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
    structlog.processors.format_exc_info,
]
_RENDER = structlog.processors.LogfmtRenderer(
    key_order=["timestamp", "level", "event", "logger"], bool_as_flag=False
)


def _scrub_line(_logger: object, _method: str, line: Any) -> str:
    """Scrub the rendered line, and keep it one line whatever a stranger put into a value."""
    return scrub(line).translate(_CONTROL_CHARACTERS)


class _StandardErrorHandler(logging.Handler):
    """Writes to what is the standard error at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(f"{self.format(record)}\n")
            sys.stderr.flush()
        except Exception:  # noqa: BLE001  # a line that cannot be written must not stop the work
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # logging's name
        """Say that an event is missing. The library's own report would show what it holds."""
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(
                f'level=error event="An event could not be written" '
                f"logger={record.name} line={record.lineno}\n"
            )


def _log_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    logging.getLogger(__name__).critical(
        "The process ends with an error that nobody caught", exc_info=(kind, error, trace)
    )


def _log_uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None:
        logging.getLogger(__name__).critical(
            "A thread ends with an error that nobody caught",
            exc_info=(args.exc_type, args.exc_value, args.exc_traceback),
        )


class ScrubbingFilter(logging.Filter):
    """Scrubs a record itself, so that every handler and every format sees it scrubbed."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = scrub(_message(record))
        record.args = None
        if record.exc_info:
            record.exc_text = scrub("".join(traceback.format_exception(*record.exc_info)).rstrip())
            record.exc_info = None
        if record.stack_info:
            record.stack_info = scrub(record.stack_info)
        return True


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001  # whatever the arguments are, the line is worth writing
        return f"{record.msg} {record.args!r}"


class ScrubbedLogger(Logger):  # type: ignore[misc]  # gunicorn ships no types
    """gunicorn's own logger, with neither a token nor a key in its error and access logs."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for log in (self.error_log, self.access_log):
            if not any(isinstance(known, ScrubbingFilter) for known in log.filters):
                log.addFilter(ScrubbingFilter())
