"""Keys from a terminal that does not send UTF-8.

Textual decodes what is typed strictly: a single byte that is no UTF-8, such as an umlaut from a
terminal set to Latin-1, would end the program. There is no option for that, so its look-up of the
decoder is replaced.
"""

from __future__ import annotations

import codecs
import functools
from collections.abc import Callable


def _replacing(encoding: str) -> Callable[[], codecs.IncrementalDecoder]:
    return functools.partial(codecs.getincrementaldecoder(encoding), errors="replace")


def forgive_other_encodings() -> None:
    """Let a byte that cannot be decoded be a key without a meaning."""
    from textual.drivers import linux_driver

    vars(linux_driver)["getincrementaldecoder"] = _replacing
