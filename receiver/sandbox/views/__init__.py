"""What Graph answers to each call."""

from receiver.sandbox.views.routes import account_of, answer, ids_named, perform

__all__ = ["account_of", "answer", "ids_named", "perform"]
