"""The dashboard's blueprint: its templates and its assets."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint(
    "dashboard",
    __name__,
    url_prefix="/admin",
    template_folder="templates",
    static_folder="static",
    static_url_path="/static",
)
