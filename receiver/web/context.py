"""How a view reaches the parts of its process."""

from __future__ import annotations

from typing import cast

from flask import Flask, current_app

from receiver.assembly import Parts
from receiver.web.slots import CreateSlots

_NAME = "receiver"
_SLOTS = "receiver.create_slots"


def attach(app: Flask, parts: Parts) -> None:
    """Give an application its parts, and the creates of its process their slots."""
    app.extensions[_NAME] = parts
    app.extensions[_SLOTS] = CreateSlots(threads=parts.settings.web_threads)


def parts() -> Parts:
    """Return the parts of the application that serves this request."""
    return cast("Parts", current_app.extensions[_NAME])


def create_slots() -> CreateSlots:
    """Return the slots of the creates that wait for Facebook in this process."""
    return cast("CreateSlots", current_app.extensions[_SLOTS])
