"""What arrives from a terminal is cut into keys and sequences, and nothing keeps the keyboard."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from textual import events
from textual.message import Message

from tui.terminal import input_parser
from tui.terminal.input_decoding import forgive_bad_input
from tui.terminal.input_parser import InputParser
from tui.terminal.input_sequences import REST, REST_OF_PASTE, InputSequences

DELAY = 0.11
"""Seconds, a little more than those after which Esc alone is the key."""


def told(message: Message) -> str:
    if isinstance(message, events.Key):
        return message.key
    kind = type(message).__name__
    return f"{kind} {message.text}" if isinstance(message, events.Paste) else kind


class Terminal:
    """Sends to a parser, at times that are not real ones."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        forgive_bad_input()
        self.now = 100.0
        monkeypatch.setattr(input_parser, "get_time", lambda: self.now)
        self._parser = InputParser()

    def sends(self, *texts: str, apart: float = 0.0) -> list[str]:
        return [told(message) for text in texts for message in self._sent(text, apart)]

    def waits(self, seconds: float) -> list[str]:
        self.now += seconds
        return [told(message) for message in self._parser.tick()]

    def _sent(self, text: str, apart: float) -> Iterator[Message]:
        yield from self._parser.feed(text)
        self.now += apart
        yield from self._parser.tick()


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    return Terminal(monkeypatch)


@pytest.mark.parametrize(
    ("sent", "keys"),
    [
        ("n", ["n"]),
        ("ä漢", ["ä", "漢"]),
        ("\r\t\x7f", ["enter", "tab", "backspace"]),
        ("\x1b[A\x1b[1;5C\x1b[3~\x1b[Z", ["up", "ctrl+right", "delete", "shift+tab"]),
        ("\x1bOP\x1b[[A", ["f1", "f1"]),
        ("\x1b[27u\x1b[104;5u", ["escape", "ctrl+h"]),
        ("\x1b[I\x1b[O", ["AppFocus", "AppBlur"]),
        ("\x1b[<0;3;4Mn", ["MouseDown", "n"]),
        ("\x1b[12;4Rn", ["CursorPosition", "n"]),
        ("\x1b[?2026;2$yn", ["TerminalSupportsSynchronizedOutput", "n"]),
        ("\x1b[200~ab\x1b[201~n", ["Paste ab", "n"]),
    ],
)
def test_keys_and_what_else_has_a_meaning(terminal: Terminal, sent: str, keys: list[str]) -> None:
    assert terminal.sends(sent) == keys
    assert terminal.sends(*sent, apart=0.05) == keys  # as they come over a slow line


@pytest.mark.parametrize("apart", [0.0, 0.02, 0.08, 0.3])
def test_esc_and_a_letter_are_two_keys(terminal: Terminal, apart: float) -> None:
    assert terminal.sends("\x1b", "n", apart=apart) == ["escape", "n"]
    assert terminal.sends("\x1bq") == ["escape", "q"]
    assert terminal.sends("\x1b\x1b[A") == ["escape", "up"]


@pytest.mark.parametrize("key", "[OP]_^X")
def test_esc_alone_is_a_key_soon(terminal: Terminal, key: str) -> None:
    assert terminal.sends("\x1b") == []
    assert terminal.waits(DELAY) == ["escape"]
    terminal.sends(f"\x1b{key}")
    assert len(terminal.waits(DELAY)) == 2  # that key, too


@pytest.mark.parametrize(
    "answer",
    [
        "\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\",
        "\x1b]11;rgb:1e1e/1e1e/1e1e\x07",
        "\x1b]52;c;cXVpdA==\x07",
        "\x1bP>|tmux 3.4\x1b\\",
        "\x1b_Gi=1;OK\x1b\\",
        "\x1b[>0;276;0c",
        "\x1b[?62;22c",
        "\x1b[?0u",
        "\x1b[?997;1n",
        "\x1b[8;24;80t",
        "\x1b[99z",
        "\x1b]" + "r" * 5000 + "\x07",
        "\x1b[" + "1;" * 500 + "m",
    ],
)
def test_answers_that_nobody_asked_for_are_no_keys(terminal: Terminal, answer: str) -> None:
    assert terminal.sends(f"{answer}n") == ["n"]
    assert terminal.sends(*answer, "n", apart=0.05) == ["n"]


@pytest.mark.parametrize("out", ["\x03", "\x11"])
def test_a_paste_without_an_end_lets_one_out(terminal: Terminal, out: str) -> None:
    keys = terminal.sends(f"\x1b[200~ab{out}n")
    assert keys == ["Paste ab", {"\x03": "ctrl+c", "\x11": "ctrl+q"}[out], "n"]


def test_esc_ends_a_paste_without_an_end(terminal: Terminal) -> None:
    assert terminal.sends("\x1b[200~ab\x1b") == []
    assert terminal.waits(DELAY) == ["Paste ab", "escape"]
    assert terminal.sends("n") == ["n"]


def test_a_paste_comes_in_pieces_and_ends_by_itself_if_no_more_come(terminal: Terminal) -> None:
    assert terminal.sends("\x1b[200~a", "b", "\x1b[2", "01~", "n", apart=REST) == ["Paste ab", "n"]
    assert terminal.sends("\x1b[200~a\x1b[31mb\x1b[201~") == ["Paste a[31mb"]
    assert terminal.sends("\x1b[200~ab") == []
    assert terminal.waits(REST_OF_PASTE) == ["Paste ab"]
    assert terminal.sends("n") == ["n"]


def test_the_rest_of_a_sequence_is_not_awaited_for_ever(terminal: Terminal) -> None:
    for cut in ("\x1b[1;", "\x1b]11;rgb", "\x1bPabc", "\x1b[M!", "\x1b[[", "\x1b[<0;3"):
        assert terminal.sends(cut) == []
        assert terminal.waits(REST) == []
        assert terminal.sends("n") == ["n"]
    assert terminal.sends("\x1b[1;\x1b[A") == ["up"]
    assert terminal.sends("\x1b[1;\x03") == ["ctrl+c"]
    assert terminal.sends("\x1b]abc\x03") == ["ctrl+c"]


PIECES = st.lists(
    st.sampled_from(["\x1b", "[", "]", "P", "O", "M", "200~", "201~", "1;", "\\", "\x07", "\x03"])
    | st.text(max_size=3),
    max_size=12,
)


@given(pieces=PIECES)
@example(pieces=["\x1b", "[", "200~", "\x1b", "[", "200~"])
def test_after_any_rubbish_a_key_is_a_key(pieces: list[str]) -> None:
    sequences = InputSequences(lambda sequence: True, 0.1)
    list(sequences.feed("".join(pieces), 0.0))
    list(sequences.tick(DELAY))
    list(sequences.tick(REST_OF_PASTE))
    list(sequences.tick(2 * REST_OF_PASTE))
    assert list(sequences.feed("n", 3 * REST_OF_PASTE)) == ["n"]


@given(text=PIECES.map("".join), cuts=st.lists(st.integers(0, 40), max_size=5))
def test_it_does_not_matter_how_it_is_cut(text: str, cuts: list[int]) -> None:
    whole = list(InputSequences(lambda sequence: True, 0.1).feed(text, 0.0))
    sequences = InputSequences(lambda sequence: True, 0.1)
    places = [0, *sorted(cuts), len(text)]
    parts = [text[a:b] for a, b in itertools.pairwise(places)]
    assert [piece for part in parts for piece in sequences.feed(part, 0.0)] == whole
