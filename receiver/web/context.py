"""How a view reaches the parts of its process."""

from __future__ import annotations

from typing import cast

from flask import Flask, current_app

from receiver.assembly import Parts

_NAME = "receiver"


def attach(app: Flask, parts: Parts) -> None:
    """Give an application its parts."""
    app.extensions[_NAME] = parts


def parts() -> Parts:
    """Return the parts of the application that serves this request."""
    return cast("Parts", current_app.extensions[_NAME])
