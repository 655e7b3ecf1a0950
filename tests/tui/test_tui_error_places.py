"""Where an error of a backward function came from, and which lines are to be read there."""

from __future__ import annotations

from pathlib import Path

import pytest
from screen_driver import stepping
from tui_support import BODY_LINE, load, write

from tui.errors import ScenarioError
from tui.loading import loader
from tui.session.opening import open_graph

MINE = """
def half(x):
    return x / 2
def half_back(grad_out, out, x):
{body}
{after}BACK_FUNCS.add_back_func(half, 0, half_back)
a = Tensor(np.ones(3), requires_grad=True)
loss = wrap_forward_fn(half)(a).sum()
"""


def failure(path: Path) -> ScenarioError:
    """Why the pass over a scenario goes no further."""
    graph = open_graph(load(path))

    def run_to_the_end() -> None:
        with loader.guarded(path):
            while graph.position < graph.step_count:
                graph.step()

    with pytest.raises(ScenarioError) as caught:
        run_to_the_end()
    return caught.value


@pytest.mark.parametrize(
    ("body", "after", "line"),
    [
        ("    return grad_out.sum()", "", 3),
        ("    return None", "", 3),
        ("    return 'half'", "", 3),
        ("    k = 3\n    return grad_out * x[k]", "", 5),
        ("    return helper(x)", "def helper(x):\n    return [][1]\n", 6),
        (
            "    return grad_out[0]",
            "import functools\nhalf_back = functools.partial(half_back)\n",
            3,
        ),
        (
            "    return grad_out",
            "k = 0\ndef half_back(x):\n    return x\n",
            6,
        ),
    ],
)
def test_the_line_of_a_backward_function_that_is_wrong(
    tmp_path: Path, body: str, after: str, line: int
) -> None:
    path = write(tmp_path, MINE.format(body=body, after=after))
    error = failure(path)
    assert (error.filename, error.line) == (str(path), BODY_LINE + line)
    text = path.read_text().splitlines()
    assert error.excerpt == text[BODY_LINE + line - 1].strip()
    assert (error.line, text[BODY_LINE + line - 1]) in error.nearby
    assert [text[number - 1] for number, _ in error.nearby] == [t for _, t in error.nearby]


def test_all_of_the_function_is_told(tmp_path: Path) -> None:
    body = "    k = 0\n    # the first\n    return grad_out[k]"
    error = failure(write(tmp_path, MINE.format(body=body, after="")))
    assert [text for _, text in error.nearby] == [
        "def half_back(grad_out, out, x):",
        *body.splitlines(),
    ]


def test_of_a_long_function_the_lines_around_the_one_that_raised(tmp_path: Path) -> None:
    lines = [f"    k{i} = {i}" for i in range(100)]
    lines[60] = "    k60 = [][0]"
    body = "\n".join([*lines, "    return grad_out"])
    error = failure(write(tmp_path, MINE.format(body=body, after="")))
    assert len(error.nearby) == 16
    assert error.excerpt == "k60 = [][0]"


def test_a_function_that_is_not_the_users_has_no_place(tmp_path: Path) -> None:
    body = "BACK_FUNCS.add_back_func(np.negative, 0, len)\nloss = -Tensor([1.0], True)\n"
    error = failure(write(tmp_path, body))
    assert (error.line, error.nearby) == (None, [])


async def test_the_page_shows_the_function(tmp_path: Path) -> None:
    body = "    return grad_out.sum()"
    path = write(tmp_path, MINE.format(body=body, after=""))
    async with stepping(path) as driver:
        await driver.press("n", "n")
        await driver.shows("It goes no further")
        await driver.shows(f"wrong.py, line {BODY_LINE + 3}")
        await driver.shows(f"{BODY_LINE + 4}      return grad_out.sum()")
