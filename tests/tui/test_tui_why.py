"""Why a gradient is None, zero, NaN or tiny: one test a sentence, each on a scenario of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from student_graph import FIRST_GRAPH, StudentGraph
from tui_support import BUNDLED, REFUSED_AT, session_on, text_of, view_of, write

from tui.session.causes.why import why
from tui.session.labels import Labels
from tui.session.session import Session

Sentences = list[str]


def page(session: Session, name: str, steps: int | None = None) -> str:
    """The page on a node after so many steps, all by default."""
    session.go_to(session.graph.step_count if steps is None else steps)
    ids = {session.labels.short(node.id): node.id for node in session.graph.nodes}
    return text_of(why(session.graph, session.labels, ids[name])[1])


def on(folder: Path, body: str) -> Session:
    return session_on(write(folder, body))


W = "w = Tensor([1.0, 2.0], requires_grad=True)\nx = Tensor([3.0, -4.0])\n"

UNREACHED = {
    "detach at once": (
        "h = w.detach() * x\nloss = (h * v).sum()",
        "detach() cuts w off (line 6).",
    ),
    "detach of what was made of it": (
        "h = w * x\nloss = (h.detach() * v).sum()",
        "w is used for h = w * x (line 6); detach() cuts it off (line 7).",
    ),
    "detach further on": (
        "h = w * x\nk = h + 1\nloss = (k.detach() * v).sum()",
        "w is used for h = w * x (line 6); further on, detach() cuts that way off (line 8).",
    ),
    "no_grad": (
        "with no_grad():\n    h = w * x\nloss = (h * v).sum()",
        "h = w * x (line 7) was computed under no_grad: nothing comes back through it.",
    ),
    "not differentiable": (
        "m = w > x\nloss = where(m, v, 0.0).sum()",
        "m = w > x (line 6): gt is not differentiable.",
    ),
    "not differentiable, without names": (
        "loss = (v * (w * x).floor()).sum()",
        "w is used for w * x (line 6); floor(w * x) (line 6): floor is not differentiable.",
    ),
    "not yet": (
        "w.requires_grad = False\nh = w * x\nw.requires_grad = True\nloss = (h * v).sum()",
        "w did not require grad yet when h = w * x (line 7) was computed from it.",
    ),
    "never used": (
        "loss = (x * v).sum()",
        "No operation that was recorded uses it; what goes through .array or numpy() is not "
        "recorded.",
    ),
    "used beside the loss": (
        "s = w * x\nloss = (x * v).sum()",
        "It is used for s = w * x (line 6), and no way leads from there to the loss.",
    ),
    "a tensor of its own on the array": (
        "u = Tensor(w.array, requires_grad=True)\nloss = (u * v).sum()",
        "u is a tensor of its own on the same array, and that one is used: the gradient goes to u.",
    ),
    "a tensor without grad on the array": (
        "u = Tensor(w.array)\nloss = (u * v).sum()",
        "u, a new tensor on its array, is used in its place: what goes through .array or numpy() "
        "is not recorded.",
    ),
}


@pytest.mark.parametrize("case", UNREACHED)
def test_why_a_leaf_gets_no_gradient(case: str, tmp_path: Path) -> None:
    body, sentence = UNREACHED[case]
    session = on(tmp_path, f"{W}v = Tensor([1.0, 1.0], requires_grad=True)\n{body}\n")
    for name in ("loss", "v"):  # whatever the cursor is on: w is no node of the graph
        text = page(session, name)
        assert f"w (2,) gets no gradient from this pass\n{sentence}" in text
    session.start()
    assert "No gradient will come to w: w says why." in text_of(view_of(session)["step"])


def test_several_ways_that_are_cut_are_all_told(tmp_path: Path) -> None:
    body = "h = w.detach()\nm = w > 0\nloss = where(m, v * h, 0.0).sum()\n"
    text = page(on(tmp_path, f"{W}v = Tensor([1.0, 1.0], requires_grad=True)\n{body}"), "loss")
    assert "detach() cuts w off (line 6)." in text
    assert "m = gt(w, ...) (line 7): gt is not differentiable." in text


def test_what_is_not_below_the_loss_and_no_leaf_is_named(tmp_path: Path) -> None:
    text = page(on(tmp_path, f"{W}side = w * 2\nloss = (w * x).sum()\n"), "loss")
    assert text.endswith("Not below the loss either, and no leaves\nside")


def test_an_unused_parameter_is_named_as_its_model_names_it(tmp_path: Path) -> None:
    body = """
class Net(Module):
    def __init__(self):
        super().__init__()
        self.used, self.unused = Linear(2, 1), Linear(2, 1)
net = Net()
loss = net.used(Tensor([[1.0, 2.0]])).sum()
"""
    text = page(on(tmp_path, body), "loss")
    assert "unused.weight (1,2) gets no gradient from this pass\nNo operation" in text


NO_GRAD = {
    "given": ("h = Tensor([1.0, 2.0])", "h was given, and its requires_grad is False."),
    "whole numbers": ("h = Tensor([True, False])", "h was given, and holds bool"),
    "frozen": (
        "h = Parameter(Tensor([1.0, 2.0]))\nh.requires_grad = False",
        "h is a parameter that is frozen: its requires_grad is False.",
    ),
    "shared array": (
        "h = Tensor(w.array)",
        "h is a new tensor on w's array: what goes through .array or numpy() is not recorded, so "
        "no gradient comes back to w.",
    ),
    "detach": (
        "h = w.detach()",
        "h is what detach() made of w (line 5): the values go on, and no gradient comes back.\n"
        "So no gradient comes along this way to w.",
    ),
    "no_grad": (
        "with no_grad():\n    h = w * x",
        "h = w * x (line 6) was computed under no_grad: no graph was recorded.\n"
        "So no gradient comes along this way to w.",
    ),
    "not differentiable": (
        "h = sign(w)",
        "h = sign(w) (line 5): sign is not differentiable, so nothing flows through it.",
    ),
    "made of what needs none": (
        "d = w.detach()\nh = x * d",
        "h = x * d (line 6) requires no grad, because none of what it was made from does: x and d."
        "\nx was given, and its requires_grad is False.\nd is what detach() made of w (line 5)",
    ),
}


@pytest.mark.parametrize("case", NO_GRAD)
def test_why_a_node_needs_no_grad(case: str, tmp_path: Path) -> None:
    body, sentences = NO_GRAD[case]
    text = page(on(tmp_path, f"{W}{body}\nloss = (w * h).sum()\n"), "h")
    assert text.startswith(f"It has no gradient\n{sentences}")


GONE = {
    "Tensor([1.0, 2.0], requires_grad=True).detach()": (
        "h is what detach() made of a tensor without a name (line 5): the values go on"
    ),
    "Tensor([1.0, 2.0]) * 2": (
        "h = multiply(..., ...) (line 5) requires no grad, because none of what it was made from "
        "does: a tensor without a name.\na tensor without a name was given, and its requires_grad "
        "was False."
    ),
    "sign(Tensor([1.0, 2.0], requires_grad=True))": (
        "h = sign(...) (line 5): sign is not differentiable"
    ),
}


@pytest.mark.parametrize("made", GONE)
def test_what_a_node_was_made_of_may_be_gone(made: str, tmp_path: Path) -> None:
    text = page(on(tmp_path, f"{W}h = {made}\nloss = (w * h).sum()\n"), "h")
    assert text.startswith(f"It has no gradient\n{GONE[made]}")


def test_a_long_history_without_grad_is_followed(tmp_path: Path) -> None:
    body = f"{W}h = x\nfor _ in range(20000):\n    h = h * 1.0\nloss = (w * h).sum()\n"
    assert "x was given, and its requires_grad is False." in page(on(tmp_path, body), "h")


def test_the_grad_of_what_is_no_leaf(tmp_path: Path) -> None:
    session = on(tmp_path, f"{W}h = w * x\nloss = h.sum()\n")
    assert (
        "Its .grad is None and stays so\nIt is no leaf: its gradient is handed on and not kept. "
        "retain_grad() would keep it."
    ) in page(session, "h")
    session = on(tmp_path, f"{W}h = w * x\nh.retain_grad()\nloss = h.sum()\n")
    assert "Its .grad is [1 1]\nIt is no leaf, but it was asked to keep" in page(session, "h")


def test_what_has_not_come_yet() -> None:
    session = session_on("first_graph")
    assert page(session, "b", 0) == (
        "Nothing has come to it yet\n"
        "0 of 6 steps are done; it waits for e (node 1), d (node 3).\n\n"
        "Its .grad is None\n"
        "It is a leaf that requires grad: its gradient is stored at its own step, 5 steps from "
        "here."
    )
    assert page(session, "b", 4).endswith("is stored at its own step, the next one.")
    assert page(session, "b", 2).startswith(
        "Its gradient is 1 so far, with 1 to come\nIt is 1 from e"
    )


def test_what_a_gradient_is_the_sum_of() -> None:
    session = session_on("first_graph")
    assert page(session, "b") == "Its gradient is 7\nIt is 1 from e (node 1) + 6 from d (node 3)."
    assert page(session, "L").startswith("Its gradient is 1\nIt is the seed")


def test_a_grad_that_was_there_before_is_told(tmp_path: Path) -> None:
    session = on(tmp_path, f"{W}w.grad = Tensor([5.0, 5.0])\nloss = (w * x).sum()\n")
    assert "Its .grad is [5 5]\nThat was there before this pass" in page(session, "w", 0)
    assert "[5 5] was there before this pass, and [3 -4] was added." in page(session, "w")


ZERO = {
    "seed": (
        "end_grad = 0.0\nloss = (w * x).sum()",
        "w",
        "The seed, the gradient of loss itself, is 0.",
    ),
    "factor": (
        "loss = (w * Tensor([0.0, 0.0])).sum()",
        "w",
        "multiply (node 1) multiplies what goes to w by constant 3, which is 0.",
    ),
    "number": ("loss = (w * 0).sum()", "w", "multiply (node 1) multiplies what goes to w by 0."),
    "relu": (
        "loss = relu(w - 5).sum()",
        "w",
        "maximum (node 1) lets nothing through: all 2 elements of its input are below 0. "
        "The way: subtract → w.",
    ),
    "clamp": (
        "loss = clamp(w, 5, 6).sum()",
        "w",
        "clamp (node 1) lets nothing through: all 2 elements of its input are below 5 or above 6.",
    ),
    "cancelled": (
        "loss = (w - w).sum()",
        "w",
        "What came to w adds up to 0: [1 1] from subtract (node 1) and [-1 -1] from subtract",
    ),
    "too small": (
        "loss = ((w * 1e-30) * 1e-30).sum()",
        "w",
        "grad_out * 1e-30 is 1e-60 at the most, and float32 has only 0 for that.",
    ),
    "saturated": (
        "loss = sigmoid(w + 200).sum()",
        "w",
        "sigmoid (node 1) gets [1 1] and hands 0 to node 2: grad_out * out * (1 - out)",
    ),
    "hook": (
        "h = w * x\nh.register_hook(lambda grad: grad * 0)\nloss = h.sum()",
        "w",
        "A hook of h made it [0 0]; before the hook it was [1 1].",
    ),
    "not picked": (
        "loss = where(Tensor([False, False]), w, 1.0).sum()",
        "w",
        "where (node 1) gets [1 1] and hands 0 to w: where(constant 3, grad_out, 0).",
    ),
}


@pytest.mark.parametrize("case", ZERO)
def test_why_a_gradient_is_zero(case: str, tmp_path: Path) -> None:
    body, name, sentence = ZERO[case]
    text = page(on(tmp_path, f"{W}{body}\n"), name)
    assert text.startswith("Its gradient is [0 0]\n")
    assert sentence in text


def test_why_a_gradient_is_zero_in_places(tmp_path: Path) -> None:
    text = page(on(tmp_path, f"{W}loss = max(w)\n"), "w")
    assert (
        "It is 0 in 1 of its 2 elements.\nloss (node 0) hands on 0 in 1 of 2 elements to w: "
        "grad_out, put where the largest element is."
    ) in text


def test_zeros_that_do_not_reach_the_node_are_not_told(tmp_path: Path) -> None:
    body = "h = w * x\nloss = max(h) + (h * 2).sum() + relu(w).sum() * 0\n"
    text = page(on(tmp_path, W + body), "w")
    assert "elements" not in text


DEAD = """
model.relu2  # exists
model.linear2.bias.array[:11] = -100
"""


def mlp_with_dead_units(folder: Path) -> Session:
    """The bundled MLP with 11 of 64 units of its second layer off."""
    source = Path(session_on("mlp").subject.filename)
    text = (Path(__file__).resolve().parents[2] / "scenarios" / source).read_text("utf-8")
    path = folder / "mlp_dead.py"
    path.write_text(f"{text}{DEAD}", encoding="utf-8")
    return session_on(path)


def test_dead_units_of_the_mlp(tmp_path: Path) -> None:
    session = mlp_with_dead_units(tmp_path)
    x = session.graph.arguments(13)[0]
    off = int((x < 0).all(axis=0).sum())
    assert off >= 11
    dead = (
        f"relu2 (node 13) lets nothing through for {off} of 64 units: their input is below 0 for "
        f"each of the 64 examples. In all, {(x >= 0).mean():.0%} of the elements come through."
    )
    assert f"On the way: {dead}" in page(session, "linear2.weight", 0)
    text = page(session, "linear2.weight")
    zeros = int((session.graph.grad(18) == 0).all(axis=1).sum())  # type: ignore[union-attr]
    assert f"among them {zeros} of its 64 rows" in text
    assert dead in text
    assert "relu2" not in page(session, "linear1.weight")  # its zeros are mixed again below
    assert f"matmul (node 10) multiplies by relu2, which is 0 in {off} of 64 columns. {dead}" in (
        page(session, "output.weight").replace("output.matmul", "matmul")
    )


def test_how_the_only_contribution_was_made(tmp_path: Path) -> None:
    body = (
        "x = Tensor(np.ones((8, 3)))\nw = Tensor(np.ones((3, 7)), requires_grad=True)\n"
        "b = Tensor(np.ones(7), requires_grad=True)\nloss = tanh(x @ w + b).sum()\n"
    )
    session = on(tmp_path, body)
    assert "(node 2): grad_out, summed (8,7) → (7,)." in page(session, "b")
    assert "from tanh (node 1): grad_out * (1 - out * out)." in page(session, "add")
    assert "from matmul (node 4): x.T @ grad_out." in page(session, "w")


def test_what_a_relu_lets_through(tmp_path: Path) -> None:
    text = page(on(tmp_path, f"{W}h = relu(w * x)\nloss = h.sum()\n"), "w")
    assert "h (node 1) lets 50% of the elements through: elsewhere its input is below 0." in text


NAN = """
t = Tensor([1.0, 0.0, 2.0], requires_grad=True)
s = Tensor([1.0, 2.0, 3.0], requires_grad=True)
"""


def test_where_a_gradient_became_nan(tmp_path: Path) -> None:
    with np.errstate(all="ignore"):
        text = page(on(tmp_path, f"{NAN}r = sqrt(t) * s\nloss = (r * 0.0).sum()\n"), "t")
    assert text.startswith("Its gradient is [0 NaN 0]\n")
    assert (
        "It starts at sqrt (node 4): sqrt_back hands one NaN to t, at [1]; grad_out / (2 * out), "
        "from grad_out[1] = 0 and out[1] = 0."
    ) in text


def test_where_a_gradient_became_inf_and_how_it_went_on(tmp_path: Path) -> None:
    with np.errstate(all="ignore"):
        text = page(on(tmp_path, f"{NAN}u = t * s\nloss = sqrt(u).sum()\n"), "s")
    assert "It starts at sqrt (node 1): sqrt_back hands one Inf to u, at [1]" in text
    assert text.split("\n\n")[0].endswith("The way: u → s.")


def test_a_nan_gradient_of_values_that_were_nan_already(tmp_path: Path) -> None:
    with np.errstate(all="ignore"):
        text = page(on(tmp_path, f"{NAN}c = log(t - 1)\nloss = (c * s).sum()\n"), "s")
    assert "The values had it already: c = log(subtract): 1 NaN and one -Inf" in text


def test_a_sum_of_finite_contributions_may_be_too_large(tmp_path: Path) -> None:
    body = f"{W}loss = (w * 3e38).sum() + (w * 3e38).sum()\n"
    with np.errstate(all="ignore"):
        text = page(on(tmp_path, body), "w")
    assert "What came to w was finite, and its sum is more than float32 holds." in text


def test_a_seed_that_is_nan(tmp_path: Path) -> None:
    text = page(on(tmp_path, f"{W}end_grad = float('nan')\nloss = (w * x).sum()\n"), "w")
    assert (
        "The seed, the gradient of loss itself, is not finite. The way: loss → multiply → w."
        in text
    )


def test_why_a_value_is_not_finite(tmp_path: Path) -> None:
    with np.errstate(all="ignore"):
        session = on(tmp_path, f"{NAN}c = log(t - 1)\nloss = (c * s).sum()\n")
    assert page(session, "c").startswith(
        "Its value is [-Inf NaN 0]\nIt starts here. c = log(subtract): 1 NaN and one -Inf, the "
        "first at [0], from subtract[0] = 0."
    )
    assert page(session, "loss").startswith("Its value is NaN\nIt comes from c = log(subtract)")
    assert "The way: c → multiply → loss." in page(session, "loss")


def test_where_a_gradient_vanishes(tmp_path: Path) -> None:
    body = "w = Tensor(1.0, requires_grad=True)\nh = w\nfor _ in range(20):\n    h = sigmoid(h)\n"
    text = page(on(tmp_path, f"{body}loss = h * 1e-3\n"), "w")
    assert "On the way from loss the norm falls from 1 to" in text
    assert "in 21 steps, by a factor of 0.1" in text
    assert "The least, 0.001, is that of loss (node 0): grad_out * 0.001." in text


def test_where_a_gradient_explodes(tmp_path: Path) -> None:
    body = "w = Tensor(1.0, requires_grad=True)\nh = w\nfor _ in range(9):\n    h = h * 5.0\n"
    assert (
        "On the way from loss the norm grows from 1 to 1953125 in 9 steps, by a factor of 5 a step "
        "on average."
    ) in page(on(tmp_path, f"{body}loss = h\n"), "w")


def test_gradients_of_a_usual_size_say_nothing_of_it() -> None:
    assert "On the way from" not in page(session_on("mlp"), "linear1.weight")


@pytest.mark.parametrize("scenario", BUNDLED)
def test_every_node_has_a_page_at_every_step(scenario: str) -> None:
    session = session_on(scenario)
    last = REFUSED_AT.get(scenario, session.graph.step_count)
    for position in (0, 1, last // 2, last):
        session.go_to(position)
        for node in session.graph.nodes:
            title, items = why(session.graph, session.labels, node.id)
            assert title.startswith(f"Why? Node {node.id}, ")
            assert items
            assert all(left or kind == "gap" for kind, left, _ in items)


def test_what_was_changed_since_the_forward_pass(tmp_path: Path) -> None:
    session = on(tmp_path, f"{W}h = w * x\nloss = h.sum()\n")
    session.graph.value(3)[0] = 7
    assert (
        "What it saved has changed\nArgument 1, x, was changed after the forward pass by a direct "
        "write into .array: [3 -4] then, [7 -4] now."
    ) in page(session, "h", 0)
    assert "add_" in page(on(tmp_path, f"{W}h = w * x\nx += 1\nloss = h.sum()\n"), "h", 0)


def test_a_students_engine_is_asked_too() -> None:
    graph = StudentGraph(FIRST_GRAPH)
    labels = Labels(graph)
    while graph.position < graph.step_count:
        graph.step()
    assert text_of(why(graph, labels, 4)[1]) == (
        "Its gradient is 7\nIt is 1 from e (node 1) + 6 from d (node 3)."
    )


def test_what_hooks_made_of_a_gradient(tmp_path: Path) -> None:
    body = f"{W}w.register_hook(lambda grad: grad * 10)\nloss = (w * x).sum()\n"
    session = on(tmp_path, body)
    assert page(session, "w").startswith(
        "Its gradient is [30 -40]\nIt is [3 -4] from multiply (node 1): grad_out * x.\n"
        "Its hooks made [30 -40] of that; before, it was [3 -4]."
    )
    step = text_of(view_of(session)["step"])
    assert "  before its hooks  [3 -4]" in step
    assert "!" not in step


def test_a_nan_that_is_summed_away_by_broadcasting_is_found_before_the_sum(tmp_path: Path) -> None:
    body = "u = Tensor([1.0, 0.0], requires_grad=True)\nt = Tensor(4.0, requires_grad=True)\n"
    text = page(on(tmp_path, f"{body}loss = (t / u).sum()\n"), "t")
    assert (
        "true_divide_back0 hands Inf to t; grad_out / u, from grad_out[1] = 1 and u[1] = 0." in text
    )
