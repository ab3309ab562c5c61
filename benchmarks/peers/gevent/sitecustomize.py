# ruff: noqa: INP001  # Python itself imports it by this name, and of no package
"""Patch the process before anything else is imported: Python runs this file for that.

gunicorn's own patching comes after its configuration, which imports the receiver. Locks that were
made by then know nothing of greenlets, and requests wait for seconds.
"""

from gevent import monkey

monkey.patch_all()
