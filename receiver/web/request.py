"""The HTTP request as Flask hands it out here: it closes every file that it opened."""

from __future__ import annotations

from typing import IO, Any

import flask


class Request(flask.Request):
    """A request whose uploads are closed with it.

    Werkzeug closes those of a form that it could parse; of one that is refused half-way, they
    would stay open until somebody collects them.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._opened: list[IO[bytes]] = []

    def _get_file_stream(self, *arguments: Any, **named: Any) -> IO[bytes]:
        file = super()._get_file_stream(*arguments, **named)
        self._opened.append(file)
        return file

    def close(self) -> None:
        """Close every upload; done again, it does nothing."""
        super().close()
        for file in self._opened:
            file.close()
