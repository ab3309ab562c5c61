"""Receiver: the callback host for Facebook's asynchronous ad requests."""

__version__ = "0.1.0"
