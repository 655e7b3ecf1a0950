"""A backward function that writes into what it was given."""

from __future__ import annotations

from pathlib import Path

import pytest
from tui_support import session_on, view_of, write

from tui.session.session import Session

OWN = """
def times(x, y):
    return x * y
def times_back0(grad_out, out, x, y):
    \'\'\'grad_out * y\'\'\'
    {zero}
def times_back1(grad_out, out, x, y):
    return grad_out * x
times = wrap_forward_fn(times)
BACK_FUNCS.add_back_func(times, 0, times_back0)
BACK_FUNCS.add_back_func(times, 1, times_back1)
a = Tensor([1.0, 2.0], requires_grad=True)
b = a * 2
c = Tensor([3.0, 4.0], requires_grad=True)
d = times(b, c)
loss = (d * d).sum()
"""


def problems(session: Session) -> dict[int, list[str]]:
    """What is wrong with each step, by its node."""
    found = {}
    while session.done < session.graph.step_count:
        session.next()
        said = [left for kind, left, _ in view_of(session)["step"] if kind == "problem"]
        if said:
            found[session.graph.position - 1] = said
    return found


def own(folder: Path, body: str) -> Session:
    return session_on(write(folder, OWN.format(zero=body)))


READS = "Others use it, too: a backward function only reads what it is given."


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            "grad_out *= y; return grad_out",
            "changed grad_out in place: [12 32] then, [36 128] now.",
        ),
        ("x[0] = 7.0; return grad_out * y", "changed x in place: [2 4] then, [7 4] now."),
        ("out.fill(0); return grad_out * y", "changed out in place: [6 16] then, [0 0] now."),
    ],
)
def test_the_function_is_named_with_what_it_changed(tmp_path: Path, body: str, said: str) -> None:
    found = problems(own(tmp_path, body))
    assert found[2][0] == f"! times_back0 or times_back1 {said} {READS}"


def test_it_is_not_laid_to_the_next_node_that_uses_it(tmp_path: Path) -> None:
    found = problems(own(tmp_path, "x[0] = 7.0; return grad_out * y"))
    assert list(found.values())[1] == [
        "! b: its result, b, was changed by times_back0 or times_back1 (node 2): [2 4] then, "
        "[7 4] now"
    ]


def test_whoever_only_reads_is_not_named(tmp_path: Path) -> None:
    assert problems(own(tmp_path, "x = x.copy(); x *= 0; return grad_out * y")) == {}


def test_what_cannot_be_written_into_says_what_to_do(tmp_path: Path) -> None:
    body = OWN.format(zero="grad_out *= y; return grad_out").replace("(d * d).sum()", "d.sum()")
    session = session_on(write(tmp_path, body))
    session.next()
    with pytest.raises(Exception, match=r"read-only; .*make a new array, as grad_out \* y does"):
        session.next()
