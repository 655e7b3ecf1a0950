"""What a terminal should never send, and what ends the program in Textual if it does.

Textual decodes what is typed strictly: a single byte that is no UTF-8, such as an umlaut from a
terminal set to Latin-1, would end the program. There is no option for that, nor for how what is
typed is cut into keys (see `input_sequences`), so its look-ups of the decoder and of the parser are
replaced.
"""

from __future__ import annotations

import codecs
import functools
from collections.abc import Callable


def _replacing(encoding: str) -> Callable[[], codecs.IncrementalDecoder]:
    return functools.partial(codecs.getincrementaldecoder(encoding), errors="replace")


def forgive_bad_input() -> None:
    """Let bytes that cannot be decoded be keys without a meaning, and read sequences as we do."""
    from textual.drivers import linux_driver

    from tui.terminal.input_parser import InputParser

    vars(linux_driver)["getincrementaldecoder"] = _replacing
    vars(linux_driver)["XTermParser"] = InputParser
