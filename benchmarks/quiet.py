"""Quiet: what would be logged of each call would stand between the figures."""

from __future__ import annotations

import logging

import structlog


def be_quiet() -> None:
    """Let this process log errors only."""
    for name in ("urllib3", "werkzeug", "receiver"):
        logging.getLogger(name).setLevel(logging.ERROR)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
