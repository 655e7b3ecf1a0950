"""Messages on their way between the processes, and commands between the threads."""

from __future__ import annotations

import io
import queue
import threading
import time
from typing import Any

import pytest

from tui.process.channel import Sender, receive
from tui.process.commands import GONE, Commands


def through(message: dict[str, Any]) -> dict[str, Any]:
    """What arrives of a message."""
    stream = io.BytesIO()
    Sender(stream).send(message)
    assert stream.getvalue().count(b"\n") == 1
    return next(receive(io.BytesIO(stream.getvalue())))


@pytest.mark.parametrize(
    "text", ["", "a\nb", "├─╮ ≈ é", "\U0001f600", "\\ud800", "\\", '"', "\x00"]
)
def test_a_text_arrives_as_it_is(text: str) -> None:
    assert through({"type": "notice", "text": text}) == {"type": "notice", "text": text}


def test_half_a_surrogate_pair_arrives_as_a_question_mark() -> None:
    assert through({"text": "caf\udce9 \U0001f600 ├"})["text"] == "caf? \U0001f600 ├"


def test_commands_keep_their_order_also_after_a_wait() -> None:
    commands = Commands()
    assert commands.empty()
    with pytest.raises(queue.Empty):
        commands.get(block=False)
    for number in range(3):
        commands.put({"do": number})
    commands.put(GONE)
    commands.wait(5)
    commands.wait(5)
    assert not commands.empty()
    taken = [commands.get(block=False) for _ in range(4)]
    assert taken == [{"do": 0}, {"do": 1}, {"do": 2}, GONE]
    assert commands.empty()


def test_a_command_ends_a_wait() -> None:
    commands = Commands()
    threading.Timer(0.05, commands.put, ({"do": "next"},)).start()
    started = time.monotonic()
    commands.wait(20)
    assert time.monotonic() - started < 10
    assert commands.get(block=False) == {"do": "next"}


def test_a_wait_without_a_command_ends() -> None:
    commands = Commands()
    commands.wait(0.01)
    assert commands.empty()
