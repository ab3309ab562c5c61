"""Answers of Graph, as raw bodies: the page's own samples, and errors that the facts describe."""

from __future__ import annotations

from pathlib import Path

_SAMPLES = Path(__file__).parents[1] / "samples" / "graph"


def sample(name: str) -> bytes:
    return (_SAMPLES / name).read_bytes()
