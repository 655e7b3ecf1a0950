"""Copies of this process that a scenario makes with os.fork()."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import NoReturn

from tui.places import TUI


@contextmanager
def ended() -> Iterator[None]:
    """A block in which code of the scenario's runs; a copy of the process that it makes and does
    not end itself ends with the block. What comes then is to be done once, by the original."""
    pid = os.getpid()
    try:
        yield
    except BaseException as error:
        if os.getpid() != pid:
            _end(error)
        raise
    if os.getpid() != pid:
        _end(None)


def _after_ours(trace: TracebackType | None) -> TracebackType | None:
    ours = os.path.join(TUI, "")
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(ours):
        trace = trace.tb_next
    return trace


def _end(error: BaseException | None) -> NoReturn:
    """End this process as Python ends one."""
    code = 0
    if isinstance(error, SystemExit):
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    elif error is not None:
        code = 1
        with suppress(Exception):
            traceback.print_exception(type(error), error, _after_ours(error.__traceback__))
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # closed, or none at all
            stream.flush()
    os._exit(code & 0xFF)
