"""What a terminal should never send, and what ends the program in Textual if it does.

Textual decodes what is typed strictly: a single byte that is no UTF-8, such as an umlaut from a
terminal set to Latin-1, would end the program. So would an escape sequence of a key with a number
that no character has, as broken lines and pasted rubbish bring it. There is no option for either,
so its look-up of the decoder and its reading of such sequences are replaced.
"""

from __future__ import annotations

import codecs
import functools
from collections.abc import Callable
from typing import Any


def _replacing(encoding: str) -> Callable[[], codecs.IncrementalDecoder]:
    return functools.partial(codecs.getincrementaldecoder(encoding), errors="replace")


def forgive_bad_input() -> None:
    """Let a byte that cannot be decoded, and a sequence of no key, be keys without a meaning."""
    from textual import _xterm_parser
    from textual.drivers import linux_driver

    vars(linux_driver)["getincrementaldecoder"] = _replacing
    parser = vars(_xterm_parser)["XTermParser"]
    parse = getattr(parser, "_parse_extended_key", None)
    if parse is not None and not isinstance(parse, _Forgiving):
        parser._parse_extended_key = _Forgiving(parse)


class _Forgiving:
    """Reads the sequence of a key; None, as for any that is not known, where that fails."""

    def __init__(self, parse: Callable[[Any, str], Any]) -> None:
        self._parse = parse

    def __get__(self, parser: Any, kind: type) -> Callable[[str], Any]:
        return functools.partial(self._try, parser)

    def _try(self, parser: Any, sequence: str) -> Any:
        try:
            return self._parse(parser, sequence)
        except (ValueError, OverflowError):
            return None
