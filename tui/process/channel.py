"""Messages between the two processes: JSON objects, one a line."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from typing import IO, Any

Message = dict[str, Any]


class Sender:
    """Writes messages; from several threads, too."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def send(self, message: Message) -> None:
        """Write one message.

        Raises:
            OSError: nobody reads any more.
        """
        line = _encoded(message) + b"\n"
        with self._lock:
            self._stream.write(line)
            self._stream.flush()

    def close(self) -> None:
        """Let the other side know that nothing comes any more."""
        with self._lock, contextlib.suppress(OSError):
            self._stream.close()


_ENCODE = json.JSONEncoder(check_circular=False, separators=(",", ":")).encode
"""In ASCII, which takes half as long as with the characters as they are."""

SURROGATE = "\\ud"
"""How JSON in ASCII starts half a surrogate pair."""


def _encoded(message: Message) -> bytes:
    text = _ENCODE(message)
    if SURROGATE not in text:
        return text.encode("ascii")
    # Half a pair, as of a file name that is no UTF-8, could be shown nowhere.
    text = json.dumps(message, ensure_ascii=False, separators=(",", ":"))
    return text.encode(errors="replace")


def receive(stream: IO[bytes]) -> Iterator[Message]:
    """The messages that come, until the other side closes; what is none is left out: a scenario
    may write to whatever is open."""
    for line in stream:
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(message, dict):
            yield message
