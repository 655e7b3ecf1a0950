"""Mistakes that students make in backward functions, each as a scenario."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mistake:
    """A scenario's body with one wrong backward function."""

    body: str
    op: str
    arg: int = 0
    numbers: bool = True
    """Whether it returns wrong numbers; else something that is no gradient of the argument."""


def _replacing(op: str, arg: int, parameters: str, result: str, graph: str) -> str:
    return (
        f"def mine(grad_out, out, {parameters}):\n"
        f"    return {result}\n"
        f"BACK_FUNCS.add_back_func({op}, {arg}, mine)\n"
        "a = Tensor([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75], [1.0, 3.0, -2.0]], requires_grad=True)\n"
        "b = Tensor([2.0, 0.5, 1.5], requires_grad=True)\n"
        f"loss = ({graph}).sum()\n"
    )


MISTAKES = {
    "negative returns +grad_out": Mistake(
        _replacing("np.negative", 0, "x", "grad_out", "-a"), "negative"
    ),
    "exp uses x in the place of out": Mistake(
        _replacing("np.exp", 0, "x", "grad_out * x", "exp(a)"), "exp"
    ),
    "exp drops grad_out": Mistake(_replacing("np.exp", 0, "x", "out", "exp(a)"), "exp"),
    "log drops grad_out": Mistake(_replacing("np.log", 0, "x", "1 / x", "log(b)"), "log"),
    "getitem assigns": Mistake(
        "def mine(grad_out, out, x, index):\n"
        "    grad = np.zeros_like(x)\n"
        "    grad[index] = grad_out\n"
        "    return grad\n"
        "BACK_FUNCS.add_back_func(getitem, 0, mine)\n"
        "a = Tensor([1.0, 2.0, 3.0], requires_grad=True)\n"
        "loss = a[[0, 2, 2]].sum()\n",
        "getitem",
    ),
    "unbroadcast forgotten": Mistake(
        _replacing("np.multiply", 1, "x, y", "grad_out * x", "a * b"), "multiply", 1, numbers=False
    ),
    "unbroadcast takes the first row": Mistake(
        _replacing("np.multiply", 1, "x, y", "(grad_out * x)[0]", "a * b"), "multiply", 1
    ),
    "multiply by its own argument": Mistake(
        _replacing("np.multiply", 0, "x, y", "grad_out * x", "a * b"), "multiply"
    ),
    "relu lets all through": Mistake(
        _replacing("np.maximum", 0, "x, y", "grad_out", "relu(a)"), "maximum"
    ),
    "relu has its kink elsewhere": Mistake(
        _replacing("np.maximum", 0, "x, y", "grad_out * (x > 0.3)", "relu(a)"), "maximum"
    ),
    "relu looks at grad_out": Mistake(
        _replacing("np.maximum", 0, "x, y", "grad_out * (grad_out > 0)", "relu(a)"), "maximum"
    ),
    "matmul does not transpose": Mistake(
        _replacing("np.matmul", 0, "x, y", "grad_out @ y", "a @ (a + 1)"), "matmul"
    ),
    "matmul the other way round": Mistake(
        _replacing("np.matmul", 1, "x, y", "grad_out @ x.T", "a @ (a + 1)"), "matmul", 1
    ),
    "divide without a minus": Mistake(
        _replacing("np.true_divide", 1, "x, y", "unbroadcast(grad_out * x / y**2, y)", "a / b"),
        "true_divide",
        1,
    ),
    "subtract without a minus": Mistake(
        _replacing("np.subtract", 1, "x, y", "unbroadcast(grad_out, y)", "a - b"), "subtract", 1
    ),
    "permute by the same axes": Mistake(
        "def mine(grad_out, out, x, axes):\n"
        "    return np.transpose(grad_out, axes)\n"
        "BACK_FUNCS.add_back_func(permute, 0, mine)\n"
        "a = Tensor(np.arange(8.0).reshape(2, 2, 2), requires_grad=True)\n"
        "loss = (permute(a, (1, 2, 0)) * 2.0).sum()\n",
        "permute",
    ),
    "nothing is returned": Mistake(
        _replacing("np.negative", 0, "x", "None", "-a"), "negative", numbers=False
    ),
    "it raises": Mistake(
        _replacing("np.negative", 0, "x", "-grad_uot", "-a"), "negative", numbers=False
    ),
    "grad_out is changed in place": Mistake(
        _replacing("np.negative", 0, "x", "np.negative(grad_out, out=grad_out)", "-a"),
        "negative",
        numbers=False,
    ),
}
