"""The control API under ``/sandbox/``: how the sandbox behaves, and what really happened in it."""

from receiver.sandbox.control.routes import ROUTES, answer_control

__all__ = ["ROUTES", "answer_control"]
