"""Loading scenarios: what a file gets to see, and one clear message where one cannot be used."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from tui_support import BODY_LINE, BUNDLED, REGRESSION, SQUARE, TRAINED, load, write

import engine
from tui.errors import ScenarioError
from tui.loading import catalog
from tui.session.engine_graph import EngineGraph
from tui.session.opening import about, open_graph

TRAINS = """
def loss_fn(outputs, labels):
    return {result}
model = Linear(3, 2)
training = Training(model, SGD(model.parameters(), 0.1),
                    (np.ones((6, 3), np.float32), np.zeros(6, np.int64)), None, loss_fn)
"""


def opened(path: Path | str, **options: object) -> EngineGraph:
    """The graph that the screen would open."""
    scenario = load(path, **options)
    about(scenario)
    return open_graph(scenario)


def refusal(path: Path | str, **options: object) -> ScenarioError:
    """Why a scenario cannot be stepped through."""
    with pytest.raises(ScenarioError) as caught:
        opened(path, **options)
    error = caught.value
    assert error.message.strip(), "it has to say something"
    return error


# Files that are no scenario


@pytest.mark.parametrize("wanted", ["nowhere/there.py", "nowhere.py", "mlpp", "/dev/null", ""])
def test_what_is_not_there_is_refused(wanted: str) -> None:
    refusal(wanted)


@pytest.mark.parametrize("wanted", ["x" * 5000, "y" * 300 + ".py"])
def test_a_name_too_long_for_a_file_is_refused(wanted: str) -> None:
    assert "there is no" in refusal(wanted).message


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert "folder" in refusal(tmp_path).message


@pytest.mark.parametrize("typo", ["mpl", "first_grap", "log-chain", "brodcasting", "MLP"])
def test_a_mistyped_name_brings_the_nearest(typo: str) -> None:
    meant = {"mpl": "mlp", "first_grap": "first_graph", "log-chain": "log_chain", "MLP": "mlp"}
    assert meant.get(typo, "broadcasting") in refusal(typo).message


def test_a_name_like_no_other_brings_all_bundled_ones() -> None:
    message = refusal("zzzzzz").message
    assert all(name in message for name in BUNDLED)


@pytest.mark.parametrize(
    "raw",
    [
        b"\x89PNG\r\n\x1a\n\x00\x00\xff\xfe",
        b"a = 1\x00\nloss = a\n",
        "a = 'é'\n".encode("latin-1"),
        b"# coding: no-such-encoding\na = 1\n",
        "a = 1\n".encode("utf-16"),
    ],
    ids=["binary", "nul", "wrong encoding", "unknown encoding", "utf-16"],
)
def test_what_is_no_python_text_is_refused(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "scenario.py"
    path.write_bytes(raw)
    assert refusal(path).filename == str(path)


def test_a_file_in_a_declared_encoding_is_read(tmp_path: Path) -> None:
    path = tmp_path / "latin.py"
    text = f"# coding: latin-1\n'''Café\n\nmore'''\nfrom engine import *\n{SQUARE}"
    path.write_bytes(text.encode("latin-1"))
    scenario = load(path)
    assert (scenario.title, scenario.introduction) == ("Café", "more")
    assert scenario.source[1] == "'''Café"


def test_a_syntax_error_names_its_line(tmp_path: Path) -> None:
    error = refusal(write(tmp_path, "a = 1\nb = = 2\n"))
    assert (error.line, error.excerpt) == (BODY_LINE + 1, "b = = 2")


def test_a_text_too_nested_for_python_is_refused(tmp_path: Path) -> None:
    refusal(
        write(tmp_path, "a = Tensor(1.0, requires_grad=True)\nloss = " + " + ".join("a" * 9000))
    )


# Scenarios that go wrong


@pytest.mark.parametrize(
    ("body", "line", "part"),
    [
        ("a = 1\nb = a / 0\n", 1, "ZeroDivisionError: division by zero"),
        ("import no_such_module_at_all\n", 0, "no_such_module_at_all"),
        ("a = Tensor(np.ones((2, 3)))\nb = a @ a\n", 1, "(2, 3)"),
        ("def f():\n    return g()\ndef g():\n    return [][1]\nf()\n", 3, "IndexError"),
        ("def f(n):\n    return f(n + 1)\nf(0)\n", 1, "without end"),
        ("raise SystemExit(3)\n", 0, "3"),
        ("import sys\nsys.exit()\n", 1, "SystemExit"),
        ("quit_at = 2\nname = input('Who? ')\n", 1, "input()"),
        ("import sys\nsys.stdin.readline().strip() or [][0]\n", 1, "IndexError"),
        ("raise BaseException\n", 0, "BaseException"),
        ("raise GeneratorExit\n", 0, "GeneratorExit"),
        ("raise ValueError('one\\ntwo')\n", 0, "two"),
    ],
)
def test_an_exception_names_its_line(tmp_path: Path, body: str, line: int, part: str) -> None:
    path = write(tmp_path, body)
    error = refusal(path)
    assert part in error.message
    assert (error.filename, error.line) == (str(path), BODY_LINE + line)
    assert error.excerpt == body.splitlines()[line].strip()


def test_an_exception_that_cannot_say_what_it_is(tmp_path: Path) -> None:
    body = "class Odd(Exception):\n    def __str__(self):\n        raise KeyError\nraise Odd\n"
    assert "Odd" in refusal(write(tmp_path, body)).message


def test_the_end_of_a_file_is_not_taken_for_a_question(tmp_path: Path) -> None:
    error = refusal(write(tmp_path, "import io, pickle\npickle.load(io.BytesIO())\n"))
    assert "input()" not in error.message
    assert "EOFError" in error.message


def test_an_exception_in_a_module_beside_is_shown_there(tmp_path: Path) -> None:
    beside = tmp_path / "beside_helper.py"
    beside.write_text("def fail():\n    return {}['no such key']\n")
    error = refusal(write(tmp_path, "import beside_helper\nbeside_helper.fail()\n"))
    assert (error.filename, error.line) == (str(beside), 2)
    assert "no such key" in error.message
    del sys.modules["beside_helper"]


def test_an_exception_that_a_module_beside_gets_from_the_engine(tmp_path: Path) -> None:
    beside = tmp_path / "beside_shapes.py"
    beside.write_text("def fail(a):\n    # here\n    return a + a.reshape(3, 2)\n")
    body = "import beside_shapes\nbeside_shapes.fail(Tensor(np.ones((2, 3))))\n"
    error = refusal(write(tmp_path, body))
    assert (error.filename, error.line) == (str(beside), 3)
    del sys.modules["beside_shapes"]


def test_a_syntax_error_in_a_module_beside_names_both(tmp_path: Path) -> None:
    (tmp_path / "beside_broken.py").write_text("a = 1\nb = = 2\n")
    error = refusal(write(tmp_path, "import beside_broken\n"))
    assert "beside_broken.py" in str(error)
    assert "line 2" in error.message or error.line == 2


def test_installed_packages_in_the_folder_are_not_the_user_s_own(tmp_path: Path) -> None:
    """README's .venv lies in the folder in which the user's scenario lies."""
    site = tmp_path / ".venv" / "lib" / "python3.11" / "site-packages"
    site.mkdir(parents=True)
    (site / "installed_package.py").write_text("def check(x):\n    raise ValueError('not so')\n")
    body = f"import sys\nsys.path.append({str(site)!r})\nimport installed_package\n"
    path = write(tmp_path, body + "installed_package.check(1)\n")
    error = refusal(path)
    assert (error.filename, error.line) == (str(path), BODY_LINE + 3)
    del sys.modules["installed_package"]


def test_the_line_is_known_after_a_change_of_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other").mkdir()
    write(tmp_path, "import os\nos.chdir('other')\n1 / 0\n")
    monkeypatch.chdir(tmp_path)
    error = refusal("wrong.py")
    assert (error.filename, error.line) == ("wrong.py", BODY_LINE + 2)


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ("a = 1\n", "loss"),
        ("loss = 3.5\n", "float"),
        ("loss = np.ones(3)\n", "ndarray"),
        ("loss = Tensor(3.0) * 2\n", "requires no grad"),
        ("a = Tensor(3.0, requires_grad=True)\nwith no_grad():\n    loss = a * a\n", "no_grad"),
        ("training = 7\nloss = Tensor(1.0, requires_grad=True)\n", "int"),
        ("training = Training\n", "Training"),
        (
            "a = Tensor(1.0, requires_grad=True)\nb = a * 2.0\nloss = b * 3.0\n"
            "b.recipe = Recipe(b.recipe.func, b.recipe.args, {}, {0: loss})\n",
            "cycle",
        ),
    ],
)
def test_what_leaves_nothing_to_step_through_is_refused(
    tmp_path: Path, body: str, part: str
) -> None:
    path = write(tmp_path, body)
    error = refusal(path)
    assert part in error.message
    assert error.filename == str(path)


# Trainings that go wrong


def test_a_model_that_fails_names_its_line(tmp_path: Path) -> None:
    body = (
        "class Model(Module):\n    def forward(self, x):\n        return x @ x @ x\n"
        "model = Model()\n"
        "w = Tensor(1.0, requires_grad=True)\ntraining = Training(model, SGD([w], 0.1), "
        "(np.ones((6, 3)), np.ones(6)), None, cross_entropy)\n"
    )
    path = write(tmp_path, body)
    error = refusal(path)
    assert (error.filename, error.line) == (str(path), BODY_LINE + 2)


@pytest.mark.parametrize(
    ("result", "part"),
    [
        ("None", "loss_fn"),
        ("1.5", "float"),
        ("'loss'", "str"),
        ("Tensor(1.0)", "requires no grad"),
        ("outputs", "one number"),
        ("cross_entropy(outputs, labels.reshape(2, 3))", "labels (batch,)"),
    ],
)
def test_a_loss_fn_that_returns_nonsense_is_refused(tmp_path: Path, result: str, part: str) -> None:
    path = write(tmp_path, TRAINS.format(result=result))
    error = refusal(path)
    assert part in error.message
    assert error.filename == str(path)


def test_a_loss_fn_that_exits_names_its_line(tmp_path: Path) -> None:
    error = refusal(write(tmp_path, TRAINS.format(result="[][0]")))
    assert error.line == BODY_LINE + 2
    assert "IndexError" in error.message


@pytest.mark.parametrize(
    ("data", "part"),
    [
        ("(np.ones((0, 3)), np.zeros(0, np.int64))", "nothing to train on"),
        ("(np.ones((6, 3)), np.zeros(5, np.int64))", "6 inputs and 5 labels"),
        ("(np.ones((6, 3)), np.zeros((6, 1), np.int64))", "(6, 1)"),
        ("(np.ones((6, 3)), np.full(6, 9))", "9"),
        ("(np.ones((6, 4)), np.zeros(6, np.int64))", "(6, 4)"),
        ("np.ones((6, 3))", ""),
        ("7", ""),
    ],
)
def test_data_that_does_not_fit_is_refused(tmp_path: Path, data: str, part: str) -> None:
    body = (
        "model = Linear(3, 2)\ntraining = Training(model, SGD(model.parameters(), 0.1), "
        f"{data}, None, cross_entropy)\n"
    )
    assert part in refusal(write(tmp_path, body)).message


def test_a_question_in_the_forward_pass_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Standard input is empty for all that the scenario does, not only while the file is run."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("an answer that the terminal would give\n"))
    refusal(write(tmp_path, TRAINS.format(result="outputs.sum() * len(input('How much? '))")))


# What a file gets to see


def test_what_a_scenario_sees(tmp_path: Path) -> None:
    body = (
        "import sys, os\nseen = (__name__, sys.stdin.read(), sys.argv, sys.path[0])\n"
        "if __name__ == '__main__':\n    raise AssertionError\n"
    )
    path = write(tmp_path, body + SQUARE)
    name, stdin, argv, first = load(path).namespace["seen"]
    assert (name, stdin, argv[1:]) == ("__bp_tui__", "", [])
    assert first == str(tmp_path)


@pytest.mark.parametrize("body", [SQUARE, "raise KeyError\n", "import sys\nsys.exit(1)\n"])
def test_stdin_and_argv_are_as_before(tmp_path: Path, body: str) -> None:
    before = sys.stdin, sys.argv, list(sys.argv)
    path = write(tmp_path, "import sys\nsys.argv.append('x')\nsys.stdin = None\n" + body)
    try:
        load(path)
    except ScenarioError:
        assert body != SQUARE
    assert (sys.stdin, sys.argv, list(sys.argv)) == before


def test_standard_output_is_as_before(tmp_path: Path) -> None:
    before = sys.stdout, sys.stderr
    try:
        load(write(tmp_path, "import sys, io\nsys.stdout = sys.stderr = io.StringIO()\n" + SQUARE))
        assert (sys.stdout, sys.stderr) == before
    finally:
        sys.stdout, sys.stderr = before


def test_a_module_can_be_imported_when_it_is_needed(tmp_path: Path) -> None:
    """Imports inside functions are common: the folder stays on the path of the pass."""
    (tmp_path / "late_helper.py").write_text("def total(x):\n    return x.sum()\n")
    body = TRAINS.format(result="__import__('late_helper').total(outputs)")
    before = list(sys.path)
    try:
        from tui.loading import loader
        from tui.options import Options

        graph = open_graph(loader.load(Options(str(write(tmp_path, body)))))
        assert graph.nodes[0].op == "sum"
    finally:
        sys.path[:] = before
        del sys.modules["late_helper"]


def test_loading_again_does_not_pile_up_folders(tmp_path: Path) -> None:
    from tui.loading import loader
    from tui.options import Options

    before = list(sys.path)
    options = Options(str(write(tmp_path, SQUARE)))
    try:
        for _ in range(3):
            loader.load(options)
        assert sys.path.count(str(tmp_path)) <= 1
    finally:
        sys.path[:] = before


@pytest.mark.parametrize(
    "definition",
    [
        "from dataclasses import dataclass, field\n"
        "@dataclass\nclass Layer:\n    width: int = 3\n"
        "    sizes: list[int] = field(default_factory=list)\nmade = Layer().width\n",
        "import typing\nclass Pair(typing.NamedTuple):\n    x: int\n    y: int = 2\n"
        "made = Pair(1).y\n",
        "import typing\nclass Box:\n    x: Tensor\nmade = typing.get_type_hints(Box)\n",
        "import pickle\nclass Box:\n    pass\nmade = pickle.loads(pickle.dumps(Box()))\n",
    ],
    ids=["dataclass", "named tuple", "type hints", "pickle"],
)
def test_classes_work_as_in_any_file(tmp_path: Path, definition: str) -> None:
    path = tmp_path / "classes.py"
    path.write_text(
        f"from __future__ import annotations\nfrom engine import Tensor\n{definition}{SQUARE}"
    )
    assert load(path).namespace["made"]


def test_a_title_and_an_introduction(tmp_path: Path) -> None:
    path = tmp_path / "told.py"
    path.write_text(f'"""\n  The title  \n\nMore\nof it.\n"""\nfrom engine import Tensor\n{SQUARE}')
    scenario = load(path)
    assert (scenario.title, scenario.introduction) == ("The title", "More\nof it.")
    untold = load(write(tmp_path, SQUARE, "untold.py"))
    assert (untold.title, untold.introduction) == ("untold", "")


def test_the_catalogue_is_read_and_not_run() -> None:
    entries = {entry.name: entry.title for entry in catalog.bundled()}
    assert set(BUNDLED) <= set(entries)
    assert all(entries.values())


# Options and seeds


def test_the_seed_decides_the_weights(tmp_path: Path) -> None:
    path = write(tmp_path, REGRESSION)

    def weights(seed: int) -> bytes:
        return load(path, seed=seed).namespace["model"].weight.array.tobytes()

    assert weights(0) == weights(0)
    assert weights(0) != weights(1)


def test_the_seed_decides_the_batches(tmp_path: Path) -> None:
    path = write(tmp_path, REGRESSION)
    batches = {seed: load(path, seed=seed).training.next_indices().tolist() for seed in (1, 2)}
    assert batches[1] != batches[2]


def test_options_replace_the_training_s_own(tmp_path: Path) -> None:
    path = write(tmp_path, REGRESSION)
    own = load(path).training
    assert (own.batch_size, own.epochs, own.optimizer.lr) == (4, 2, 0.1)
    given = load(path, batch_size=5, epochs=7, lr=0.25).training
    assert (given.batch_size, given.epochs, given.optimizer.lr) == (5, 7, 0.25)
    assert given.total_batches == 14
    assert load(path, lr=0.0).training.optimizer.lr == 0.0


@pytest.mark.parametrize(
    "seed", ["[0.0, 1.0, 0.0]", "np.array([0.0, 1.0, 0.0])", "Tensor([0.0, 1.0, 0.0])"]
)
def test_end_grad_is_the_seed_of_the_pass(tmp_path: Path, seed: str) -> None:
    body = f"a = Tensor([1.0, 2.0, 4.0], requires_grad=True)\nloss = a * a\nend_grad = {seed}\n"
    graph = open_graph(load(write(tmp_path, body)))
    while graph.position < graph.step_count:
        graph.step()
    np.testing.assert_array_equal(graph.grad(1), [0, 4, 0])


@pytest.mark.parametrize("seed", ["[1.0]", "[[1.0], [1.0, 2.0]]", "'seed'", "object()", "1j"])
def test_an_end_grad_that_does_not_fit_is_refused(tmp_path: Path, seed: str) -> None:
    body = f"a = Tensor([1.0, 2.0], requires_grad=True)\nloss = a * a\nend_grad = {seed}\n"
    assert "end_grad" in refusal(write(tmp_path, body)).message


def test_an_end_grad_of_none_is_ones(tmp_path: Path) -> None:
    body = "a = Tensor([1.0, 2.0], requires_grad=True)\nloss = a * a\nend_grad = None\n"
    np.testing.assert_array_equal(open_graph(load(write(tmp_path, body))).grad(0), [1, 1])


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_scenarios_open(name: str) -> None:
    scenario = load(name)
    graph = open_graph(scenario)
    assert scenario.introduction
    assert graph.step_count > 3
    assert isinstance(scenario.training, engine.Training) == (name in TRAINED)
