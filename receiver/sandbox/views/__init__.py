"""What Graph answers to each call."""

from receiver.sandbox.views.routes import answer, perform

__all__ = ["answer", "perform"]
