"""The panel of the training on the screen: the table of parameters, the slope, their pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from screen_driver import Driver, program, training
from tui_support import write

from tui import app as app_module
from tui.widgets.lines import Lines
from tui.widgets.parameters import slope_line, table_lines

BROKEN = """
from scenarios.data import mnist
class Net(Module):
    def __init__(self):
        super().__init__()
        self.first, self.second, self.last = Linear(784, 16), Linear(16, 16), Linear(16, 10)
        self.around = Linear(784, 10, bias=False)
        self.second.bias.array -= 100
    def forward(self, x):
        return self.last(relu(self.second(relu(self.first(x))))) + self.around(x)
BACK_FUNCS.add_back_func(np.matmul, 1, lambda g, o, x, y: 2 * (x.T @ g))
train_data, test_data = mnist()
model = Net()
training = Training(model, SGD(model.parameters(), 0.05), train_data, test_data, CrossEntropyLoss())
"""


def table(driver: Driver) -> list[str]:
    """The rows of the table, with its heading."""
    lines = driver.lines()
    first = next(i for i, line in enumerate(lines) if line.startswith(" parameter "))
    last = next(i for i, line in enumerate(lines) if line.startswith(" Slope "))
    return lines[first:last]


async def test_the_table_before_and_after_a_batch() -> None:
    async with training() as driver:
        await driver.shows("in words", " Slope  a small step should bring")
        assert [row.split() for row in table(driver)[1:]] == [
            ["linear1.weight"],
            ["linear1.bias"],
            ["linear2.weight"],
            ["linear2.bias"],
            ["output.weight"],
            ["output.bias"],
        ]
        await driver.press("n")
        await driver.shows("loss of batch 1 ")
        rows = table(driver)
        assert rows[0].endswith(" batch 1")
        assert rows[1].startswith(" linear1.weight ")
        assert " ▄ " in rows[1]
        assert " %" in rows[1]
        driver.assert_fits()


async def test_back_by_a_batch_shows_the_table_of_before() -> None:
    async with training() as driver:
        await driver.press("n", "n")
        await driver.shows("loss of batch 2 ")
        before = table(driver)
        await driver.press("n")
        await driver.shows("loss of batch 3 ")
        assert table(driver) != before
        driver.app.send(do="training.back")
        await driver.until(lambda: table(driver) == before, "the table of before")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_mistakes_are_named(tmp_path: Path, size: tuple[int, int]) -> None:
    async with training(write(tmp_path, BROKEN), size) as driver:
        await driver.press("n", "n")
        await driver.shows("! 16 of 16 units off", "! 0: all of", "a backward function is wrong")
        driver.assert_fits()
        await driver.press("w")
        await driver.shows(
            "What the table says",
            "! second.weight: 16 of 16 units off: nothing flows through the ReLU after",
            "Start again with a lower rate",
        )
        driver.assert_fits()
        await driver.press("escape")
        await driver.shows("loss of batch 2 ")
        await driver.press("v")
        await driver.shows(
            "Does the gradient fit the loss?", "! around.weight does not fit: it says "
        )
        driver.assert_fits()
        await driver.press("escape")
        await driver.shows("loss of batch 2 ")


SLOW = BROKEN[BROKEN.index("train_data") :].replace("0.05", "1e-7")
SLOW = "from scenarios.data import mnist\nNet = lambda: Linear(784, 10)\n" + SLOW


@pytest.mark.parametrize(
    ("size", "words"),
    [
        ((120, 40), " in the last 20 batches; w says more"),
        ((80, 24), " in the last 20 batches"),
        ((60, 20), "! loss does not fall: 2."),
        ((40, 12), "! loss does not fall: 2."),
    ],
)
async def test_a_loss_that_does_not_fall(tmp_path: Path, size: tuple[int, int], words: str) -> None:
    async with training(write(tmp_path, SLOW), size) as driver:
        await driver.press("plus", "plus", "plus", "g", "6", "3", "enter")
        await driver.shows("loss does not fall: 2.", words)
        driver.assert_fits()
        await driver.press("w")
        await driver.shows("! The loss does not fall", "a higher rate is worth a try")


@pytest.mark.parametrize(
    ("size", "words"),
    [((69, 20), "5 parameters with a warning"), ((50, 14), "a backward function is wrong")],
)
async def test_what_is_wrong_where_its_part_has_no_room(
    tmp_path: Path, size: tuple[int, int], words: str
) -> None:
    async with training(write(tmp_path, BROKEN), size) as driver:
        await driver.press("n")
        await driver.shows(f"! {words}  w says")
        driver.assert_fits()


@pytest.mark.parametrize("size", [(40, 12), (69, 20), (80, 18)])
async def test_where_there_is_no_room_the_table_is_on_the_page(size: tuple[int, int]) -> None:
    async with training(size=size) as driver:
        await driver.press("n")
        await driver.shows("loss of batch 1 ")
        assert " parameter " not in driver.text()
        await driver.press("w")
        await driver.shows("What the table says", "No warning.")
        for _ in range(8):
            await driver.press("space")
        await driver.shows("whole epoch.")
        driver.assert_fits()


async def test_more_parameters_than_rows(tmp_path: Path) -> None:
    deep = (
        "from scenarios.data import mnist\n"
        "train_data, test_data = mnist()\n"
        "model = Sequential(Linear(784, 8), *[Linear(8, 8) for _ in range(9)], Linear(8, 10))\n"
        "model[4].bias.array[0] = np.nan\n"
        "training = Training(model, SGD(model.parameters(), 0.05), train_data, test_data,\n"
        "                    CrossEntropyLoss())\n"
    )
    async with training(write(tmp_path, deep)) as driver:
        await driver.press("n")
        await driver.shows("! NaN since batch 1", " more, ", "with a warning: w shows all")
        driver.assert_fits()
        await driver.resized_to(120, 60)
        await driver.until(lambda: len(table(driver)) == 23, "all parameters")
        driver.assert_fits()


async def test_without_unicode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_module, "has_unicode", lambda: False)
    async with training() as driver:
        await driver.press("n", "n")
        await driver.shows("loss of batch 2 ")
        assert driver.text().isascii()
        assert " :: " in table(driver)[1]
    monkeypatch.setattr(Lines, "ascii_only", False)


async def test_the_samples_of_a_second_are_told_while_it_runs() -> None:
    async with training(epochs=1000) as driver:
        await driver.press("c")
        await driver.shows("running", "samples a second")
        await driver.press("space")
        await driver.shows("paused")
        await driver.hides("samples a second")


async def test_the_keys_are_told() -> None:
    async with program("mlp") as driver:
        await driver.done(0)
        await driver.press("t")
        await driver.shows("learning rate")
        await driver.press("question_mark")
        await driver.shows("does the gradient fit the loss")


ROW = {
    "name": "blocks.3.attention.output.weight",
    "grad": "1.2e-9",
    "history": "▄" * 12,
    "update": "0.012 %",
    "zeros": "100 %",
    "short": "vanishes: 1e-9 of last's",
    "words": "gradient 1e-9 of the last layer's: it vanishes",
    "warns": True,
}
MONITOR = {"batch": 147, "name_width": 32, "rows": [ROW], "more": 0, "more_warned": 0}


def text(line: object) -> str:
    return "".join(part for part, _ in line)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("width", "name", "words"),
    [
        (80, " …n.output.weight ", "! vanishes: 1e-9 of last's"),
        (120, " blocks.3.attention.output.weight ", "! vanishes: 1e-9 of last's"),
        (160, " blocks.3.attention.output.weight ", "! gradient 1e-9 of the last layer's: it"),
    ],
)
def test_columns_keep_their_places(width: int, name: str, words: str) -> None:
    head, row = map(text, table_lines(MONITOR, width))
    assert row.startswith(name)
    assert words in row
    assert len(head) <= width
    assert head.endswith("batch 147 ")
    for heading, cell in (("|grad|", "1.2e-9"), ("lately", "▄▄"), ("is 0", "100 %")):
        assert head.index(heading) + len(heading) == row.rindex(cell) + len(cell)
    healthy = {**ROW, "grad": "0", "history": "", "update": "-", "zeros": "0 %", "words": "x"}
    (_, other) = map(text, table_lines({**MONITOR, "rows": [healthy]}, width))
    assert other.index("! x") == row.index("!")


@pytest.mark.parametrize(("width", "length"), [(120, "words"), (80, "short"), (40, "brief")])
def test_the_slope_in_as_many_words_as_fit(width: int, length: str) -> None:
    slope = {"level": "wrong", "brief": "b" * 20, "short": "s" * 70, "words": "w" * 105}
    assert text(slope_line(slope, width)) == f" Slope  ! {slope[length]}"
    assert len(text(slope_line(slope, width))) <= width
