"""The JSON of --trace and --train, field by field, as others rely on it."""

from __future__ import annotations

import itertools
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tui_support import COMPLETE, REGRESSION, environment, json_lines, run, write

ARRAY = ["shape", "dtype", "min", "max", "mean", "std", "norm", "nan", "inf", "zero"]
NODE = ["id", "name", "op", "shape", "dtype", "leaf", "requires_grad", "parents", "line", "value"]
EDGE = ["arg", "parent", "backward", "contribution", "raw", "before", "accumulated", "waiting"]


def trace(scenario: str | Path, *more: str, warns: bool = False) -> list[dict[str, Any]]:
    """The events of --trace --json."""
    done = run(scenario, "--trace", "--json", "--data", "embedded", *more)
    assert done.returncode == 0, done.stderr
    assert warns or not done.stderr
    return json_lines(done.stdout)


def assert_array(value: dict[str, Any], full: bool = False) -> None:
    """An ARRAY of the contract, right in itself."""
    size = math.prod(value["shape"])
    assert list(value) == ARRAY + ["data"] * (size <= 64 or full)
    if "data" in value:
        data = np.array(value["data"], dtype=np.float64)  # it reads "NaN" and "Infinity", too
        assert data.size == size
        assert not size or list(data.shape) == value["shape"]
        counts = np.isnan(data).sum(), np.isinf(data).sum(), (data == 0).sum()
        assert (value["nan"], value["inf"], value["zero"]) == counts
        finite = data[np.isfinite(data)]
        if not finite.size:
            assert [value[key] for key in ARRAY[2:7]] == [None] * 5
            return
        assert (value["min"], value["max"]) == (finite.min(), finite.max())
        expected = finite.mean(), finite.std(ddof=0), math.hypot(*finite.tolist())
        assert (value["mean"], value["std"], value["norm"]) == pytest.approx(expected, abs=1e-12)


def check_trace(events: list[dict[str, Any]], full: bool = False) -> None:
    """All that the contract says of any trace."""
    graph, *steps, end = events
    assert list(graph) == ["event", "scenario", "nodes"]
    assert [event["event"] for event in events] == ["graph", *["step"] * len(steps), "end"]
    nodes = graph["nodes"]
    assert [node["id"] for node in nodes] == list(range(len(nodes)))
    # Nodes that need no grad follow the steps.
    assert [n["requires_grad"] for n in nodes] == [i < len(steps) for i in range(len(nodes))]
    for node in nodes:
        assert list(node) == NODE
        assert node["leaf"] == (node["op"] is None) == (node["parents"] == [])
        assert (node["shape"], node["dtype"]) == (node["value"]["shape"], node["value"]["dtype"])
        assert all(list(parent) == ["arg", "node"] for parent in node["parents"])
        assert all(p["node"] > node["id"] for p in node["parents"])
        assert_array(node["value"], full)
    arrived: dict[int, Any] = {}
    uses = [p["node"] for node in nodes for p in node["parents"]]
    to_come = {node["id"]: uses.count(node["id"]) for node in nodes}
    for index, step in enumerate(steps):
        assert list(step) == ["event", "index", "node", "grad_out", "edges"]
        assert step["index"] == step["node"] == index
        assert to_come[index] == 0
        assert_array(step["grad_out"], full)
        if index:
            assert step["grad_out"] == arrived[index]
        asked = [
            (p["arg"], p["node"])
            for p in nodes[index]["parents"]
            if nodes[p["node"]]["requires_grad"]
        ]
        assert [(e["arg"], e["parent"]) for e in step["edges"]] == asked
        for edge in step["edges"]:
            assert list(edge) == EDGE
            parent = edge["parent"]
            to_come[parent] -= 1
            assert edge["waiting"] == to_come[parent]
            assert edge["before"] == arrived.get(parent)
            assert edge["contribution"]["shape"] == nodes[parent]["shape"]
            for key in ("contribution", "accumulated", "raw", "before"):
                if edge[key] is not None:
                    assert_array(edge[key], full)
            if edge["before"] is None:
                assert edge["accumulated"] == edge["contribution"]
            elif "data" in edge["accumulated"]:
                parts = [np.array(edge[k]["data"], float) for k in ("before", "contribution")]
                total = np.array(edge["accumulated"]["data"], float)
                np.testing.assert_allclose(total, sum(parts), rtol=1e-5)
            arrived[parent] = edge["accumulated"]
    assert list(end) == ["event", "steps", "leaves"]
    assert end["steps"] == len(steps)
    leaves = [n for n in nodes if n["leaf"] and n["requires_grad"]]
    assert [(leaf["node"], leaf["name"]) for leaf in end["leaves"]] == [
        (n["id"], n["name"]) for n in leaves
    ]
    assert [leaf["grad"] for leaf in end["leaves"]] == [arrived[n["id"]] for n in leaves]


@pytest.mark.parametrize("name", COMPLETE)
def test_the_trace_of_bundled_scenarios(name: str) -> None:
    events = trace(name, warns=name == "nan")
    check_trace(events)
    assert events[0]["scenario"] == name


def test_first_graph_by_hand() -> None:
    events = trace("first_graph")
    number = {"shape": [], "dtype": "float32", "std": 0.0, "nan": 0, "inf": 0, "zero": 0}
    seventeen = number | {"min": 17, "max": 17, "mean": 17, "norm": 17, "data": 17}
    root = events[0]["nodes"][0]
    assert root == {
        "id": 0,
        "name": "L",
        "op": "add",
        "shape": [],
        "dtype": "float32",
        "leaf": False,
        "requires_grad": True,
        "parents": [{"arg": 0, "node": 3}, {"arg": 1, "node": 1}],
        "line": 19,
        "value": seventeen,
    }
    assert [n["name"] for n in events[0]["nodes"]] == ["L", "e", "c", "d", "b", "a"]
    product = events[4]
    six = number | {"min": 6, "max": 6, "mean": 6, "norm": 6, "data": 6}
    one = number | {"min": 1, "max": 1, "mean": 1, "norm": 1, "data": 1}
    seven = number | {"min": 7, "max": 7, "mean": 7, "norm": 7, "data": 7}
    assert product["edges"][1] == {
        "arg": 1,
        "parent": 4,
        "backward": "multiply_back1",
        "contribution": six,
        "raw": None,
        "before": one,
        "accumulated": seven,
        "waiting": 0,
    }
    assert {leaf["name"]: leaf["grad"]["data"] for leaf in events[-1]["leaves"]} == {
        "a": 2,
        "b": 7,
        "c": 1,
    }


def test_the_line_of_a_node_is_the_scenario_s_own(tmp_path: Path) -> None:
    (tmp_path / "maker.py").write_text("def square(x):\n    return x * x\n")
    body = "import maker\na = Tensor(1.0, requires_grad=True)\nb = (\n    a\n    + a\n)\n"
    nodes = trace(write(tmp_path, body + "loss = maker.square(b)\n"))[0]["nodes"]
    by_name = {node["name"]: node["line"] for node in nodes}
    assert by_name["b"] in (5, 6, 7)
    assert by_name["loss"] in (9, None)


def test_what_needs_no_grad_follows(tmp_path: Path) -> None:
    body = (
        "a = Tensor([1.0, 2.0], requires_grad=True)\nfixed = Tensor([3.0, 4.0])\n"
        "loss = (a * fixed * fixed * np.float32(2.0) + Tensor(1.0)).sum()\n"
    )
    events = trace(write(tmp_path, body))
    check_trace(events)
    nodes = events[0]["nodes"]
    resting = [n for n in nodes if not n["requires_grad"]]
    assert [n["name"] for n in resting] == ["fixed", None] or [n["name"] for n in resting] == [
        None,
        "fixed",
    ]


def test_raw_and_before(tmp_path: Path) -> None:
    body = (
        "a = Tensor(np.ones((2, 3)), requires_grad=True)\nb = Tensor([1.0], requires_grad=True)\n"
        "loss = a * b + b\n"
    )
    events = trace(write(tmp_path, body))
    check_trace(events)
    to_b = [e for step in events[1:-1] for e in step["edges"] if e["parent"] == 2]
    assert [e["raw"]["shape"] for e in to_b] == [[2, 3], [2, 3]]
    assert [e["contribution"]["shape"] for e in to_b] == [[1], [1]]
    assert [e["before"] and e["before"]["data"] for e in to_b] == [None, [6.0]]
    assert to_b[1]["accumulated"]["data"] == [12.0]


def test_numbers_that_are_not_finite_are_strings(tmp_path: Path) -> None:
    body = (
        "a = Tensor([0.0, float('inf'), -float('inf'), float('nan'), 2.0], requires_grad=True)\n"
        "loss = a * Tensor(float('inf'))\n"
    )
    done = run(write(tmp_path, body), "--trace", "--json")
    events = json_lines(done.stdout)
    check_trace(events)
    value = events[0]["nodes"][1]["value"]
    assert value["data"] == [0.0, "Infinity", "-Infinity", "NaN", 2.0]
    assert (value["nan"], value["inf"], value["zero"]) == (1, 2, 1)
    assert (value["min"], value["max"], value["mean"]) == (0.0, 2.0, 1.0)


def test_nothing_finite_is_null(tmp_path: Path) -> None:
    body = "a = Tensor([float('nan')] * 2, requires_grad=True)\nloss = a * 1.0\n"
    value = trace(write(tmp_path, body))[0]["nodes"][0]["value"]
    assert [value[key] for key in ("min", "max", "mean", "std", "norm")] == [None] * 5
    assert value["nan"] == 2


def test_elements_up_to_64_or_in_full(tmp_path: Path) -> None:
    body = "a = Tensor(np.ones({}), requires_grad=True)\nloss = (a * a).sum()\n"
    for shape, has_data in (("(8, 8)", True), ("65", False), ("(5, 0, 7)", True)):
        path = write(tmp_path, body.format(shape))
        brief, full = trace(path), trace(path, "--full")
        check_trace(brief)
        check_trace(full, full=True)
        assert ("data" in brief[0]["nodes"][1]["value"]) is has_data


def test_names(tmp_path: Path) -> None:
    body = (
        "w = Tensor(2.0, requires_grad=True)\nalias = w\nloss = (w * 3.0 + 1.0) * alias\nL = loss\n"
    )
    nodes = trace(write(tmp_path, body))[0]["nodes"]
    assert [node["name"] for node in nodes] == ["loss", None, None, "w"]


def test_the_first_bound_name_also_where_an_older_name_is_bound_anew(tmp_path: Path) -> None:
    body = "x = Tensor(2.0, requires_grad=True)\ninput_ = x\nh = x * 3.0\nx = h\nloss = x * h\n"
    nodes = trace(write(tmp_path, body))[0]["nodes"]
    assert [node["name"] for node in nodes] == ["loss", "h", "input_"]


def test_names_of_parameters(tmp_path: Path) -> None:
    body = (
        "class Net(Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.first = Linear(2, 3)\n        self.rest = Sequential(ReLU(), Linear(3, 1))\n"
        "    def forward(self, x):\n        return self.rest(self.first(x))\n"
        "net = Net()\nloss = net(Tensor(np.ones((2, 2)))).sum()\n"
    )
    nodes = trace(write(tmp_path, body))[0]["nodes"]
    names = {node["name"] for node in nodes if node["leaf"] and node["requires_grad"]}
    assert names == {"first.weight", "first.bias", "rest.1.weight", "rest.1.bias"}


def test_a_parameter_that_also_has_a_name_of_the_module_level(tmp_path: Path) -> None:
    body = (
        "net = Linear(2, 1)\nfor p in net.parameters():\n    p.array[...] = 1.0\nw = net.weight\n"
        "loss = net(Tensor(np.ones((2, 2)))).sum()\n"
    )
    nodes = trace(write(tmp_path, body))[0]["nodes"]
    names = {node["name"] for node in nodes if node["leaf"] and node["requires_grad"]}
    assert names == {"weight", "bias"}


REPLACES = """
def own_back(grad_out, out, x):
    "ten times too much"
    return 10 * grad_out * out
BACK_FUNCS.add_back_func({key}, 0, own_back)
a = Tensor([[0.0, 1.0]], requires_grad=True)
loss = {loss}
"""


@pytest.mark.parametrize("key", ["exp", "np.exp"])
@pytest.mark.parametrize("loss", ["exp(a).sum()", "cross_entropy(a, np.array([1]))"])
def test_a_backward_function_of_the_scenario_acts_in_its_graph(
    tmp_path: Path, key: str, loss: str
) -> None:
    events = trace(write(tmp_path, REPLACES.format(key=key, loss=loss)))
    backward = {e["backward"] for step in events[1:-1] for e in step["edges"]}
    assert "own_back" in backward
    assert "exp_back" not in backward


def test_the_same_seed_gives_the_same_trace() -> None:
    first, again = (run("mlp", "--trace", "--json", "--seed", "7").stdout for _ in range(2))
    assert first == again
    assert first != run("mlp", "--trace", "--json", "--seed", "8").stdout


def test_the_options_of_a_training_act_on_its_graph() -> None:
    events = trace("mlp", "--batch-size", "10")
    inputs = [n for n in events[0]["nodes"] if n["name"] == "inputs"]
    assert [n["shape"] for n in inputs] == [[10, 784]]


def test_the_table_has_every_step() -> None:
    table = run("shared_parent", "--trace").stdout
    events = trace("shared_parent")
    for step in events[1:-1]:
        assert any(line.split()[:1] == [str(step["index"])] for line in table.splitlines())
    for backward in ("multiply_back0", "multiply_back1", "exp_back", "subtract_back1"):
        assert backward in table


# --train


def training(scenario: str | Path, *more: str) -> list[dict[str, Any]]:
    """The events of --train --json."""
    done = run(scenario, "--train", "--json", "--data", "embedded", *more)
    assert (done.returncode, done.stderr) == (0, "")
    return json_lines(done.stdout)


def test_the_events_of_a_training(tmp_path: Path) -> None:
    events = training(write(tmp_path, REGRESSION))
    assert [e["event"] for e in events] == [*["batch"] * 3, "epoch", *["batch"] * 3, "epoch", "end"]
    batches = [e for e in events if e["event"] == "batch"]
    assert all(list(e) == ["event", "epoch", "batch", "loss", "seconds"] for e in batches)
    assert [(e["epoch"], e["batch"]) for e in batches] == [
        *((1, 1), (1, 2), (1, 3)),
        *((2, 4), (2, 5), (2, 6)),
    ]
    epochs = [e for e in events if e["event"] == "epoch"]
    keys = ["event", "epoch", "train_loss", "test_loss", "test_accuracy", "seconds"]
    assert all(list(e) == keys for e in epochs)
    assert [e["epoch"] for e in epochs] == [1, 2]
    assert [e["test_accuracy"] for e in epochs] == [None, None]
    mean = np.average([b["loss"] for b in batches[:3]], weights=[4, 4, 2])
    assert epochs[0]["train_loss"] == pytest.approx(mean)
    seconds = [e["seconds"] for e in events]
    assert all(a <= b for a, b in itertools.pairwise(seconds))
    end = events[-1]
    assert (end["epochs"], end["batches"]) == (2, 6)
    assert end["test_loss"] == epochs[-1]["test_loss"]


def test_mnist_is_learnt_with_the_scenario_s_own_settings() -> None:
    runs = [training("mlp"), training("mlp")]
    losses = [[e["loss"] for e in events if e["event"] == "batch"] for events in runs]
    assert losses[0] == losses[1]
    assert len(losses[0]) == 5 * 63
    accuracies = [e["test_accuracy"] for e in runs[0] if e["event"] == "epoch"]
    assert len(accuracies) == 5
    assert 0.85 < accuracies[-1] <= 1
    assert runs[0][-1]["test_accuracy"] == accuracies[-1]


def test_options_act_on_a_training() -> None:
    few = training("mlp", "--batch-size", "500", "--epochs", "1", "--lr", "0")
    losses = [e["loss"] for e in few if e["event"] == "batch"]
    assert len(losses) == 8
    assert np.ptp(losses) < 0.1
    other = training("mlp", "--batch-size", "500", "--epochs", "1", "--seed", "1")
    assert [e["loss"] for e in other if e["event"] == "batch"] != losses


def test_a_loss_that_is_not_finite_is_a_string(tmp_path: Path) -> None:
    body = REGRESSION + "training.loss_fn = lambda o, y: o.sum() * np.nan\n"
    events = training(write(tmp_path, body))
    assert events[0]["loss"] == "NaN"
    assert events[3]["test_loss"] == "NaN"


def test_a_batch_larger_than_the_data_is_all_of_it(tmp_path: Path) -> None:
    for size in ("11", str(10**20)):
        events = training(write(tmp_path, REGRESSION), "--batch-size", size)
        assert [e["event"] for e in events] == ["batch", "epoch", "batch", "epoch", "end"]


def test_the_table_of_a_training() -> None:
    done = run("mlp", "--train", "--epochs", "2", "--data", "embedded")
    assert done.returncode == 0
    rows = [line.split() for line in done.stdout.splitlines()]
    assert [row[0] for row in rows if row and row[0] in ("1", "2")] == ["1", "2"]
    assert "\x1b" not in done.stdout
    assert "\x1b" not in done.stderr


def test_the_trace_does_not_depend_on_where_it_is_started(tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text("raise SystemExit('not the right numpy')\n")
    (tmp_path / "engine.py").write_text("raise SystemExit('not the right engine')\n")
    env = environment(PYTHONSAFEPATH="1", HOME=str(tmp_path), XDG_CACHE_HOME=str(tmp_path))
    done = run("mlp", "--trace", "--json", env=env, cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout == run("mlp", "--trace", "--json", "--data", "embedded").stdout
    assert sorted(os.listdir(tmp_path)) == ["engine.py", "numpy.py"]
