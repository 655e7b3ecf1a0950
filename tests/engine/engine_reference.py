"""What the engine's tests measure it against: operations, layouts, graphs, central differences."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import engine
from engine import BackwardPass, Tensor

Array = np.ndarray[Any, Any]


def examples(count: int) -> settings:
    """A property's settings: no deadline, `count` examples."""
    return settings(
        max_examples=count,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


def leaf(values: Any, dtype: Any = None) -> Tensor:
    """A tensor that wants a gradient."""
    return Tensor(values, requires_grad=True, dtype=dtype)


def grad_of(tensor: Tensor) -> Array:
    """A gradient that has to be there."""
    assert tensor.grad is not None
    return tensor.grad.array


def bits(array: Any) -> tuple[Any, ...] | None:
    """All there is to an array (or a tensor's array), to be compared to the last bit."""
    if array is None:
        return None
    array = array.array if isinstance(array, Tensor) else np.asarray(array)
    return array.dtype.str, array.shape, array.tobytes()


def state_of(backward_pass: BackwardPass) -> list[Any]:
    """Everything that a step may change, to the last bit."""
    return [
        (bits(backward_pass.grad(node)), backward_pass.waiting(node), bits(node.grad))
        for node in backward_pass.nodes
    ]


def numeric_gradient(function: Callable[[Array], float], at: Array, step: float = 1e-5) -> Array:
    """Central differences, element by element, in float64."""
    at = np.array(at, np.float64)
    gradient = np.zeros_like(at)
    for index in np.ndindex(at.shape):
        value = at[index]
        at[index] = value + step
        above = function(at.copy())
        at[index] = value - step
        gradient[index] = (above - function(at.copy())) / (2 * step)
        at[index] = value
    return gradient


# Every differentiable operation, with arrays that it takes


@dataclass(frozen=True)
class Case:
    """One call of an operation: the arrays that get a gradient, and what else it takes."""

    arrays: tuple[Array, ...]
    params: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Operation:
    """An operation of the engine and PyTorch's, both called with `*tensors, *params`."""

    name: str
    cases: st.SearchStrategy[Case]
    ours: Callable[..., Tensor]
    theirs: Callable[..., Any]


SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)


@st.composite
def numbers(draw: st.DrawFn, shape: tuple[int, ...], domain: str = "any") -> Array:
    """Float64 numbers of a size around 1 in some layout: quarters (they tie), or any."""
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    if draw(st.booleans()):
        array = rng.integers(-8, 9, shape) / 4.0
        away = rng.integers(1, 9, shape) / 4.0
    else:
        array = rng.normal(size=shape)
        away = rng.uniform(0.25, 2.0, shape)
    if domain == "positive":
        array = away
    elif domain == "not 0":
        array = np.where(rng.random(shape) < 0.5, -away, away)
    return laid_out(np.asarray(array), draw(st.sampled_from(LAYOUTS)))


LAYOUTS = ("plain", "Fortran", "every other", "reversed", "read-only", "stride 0")


def laid_out(array: Array, layout: str) -> Array:
    """The numbers in another layout in memory ("stride 0": the first slice, repeated)."""
    if layout == "Fortran":
        return np.asarray(array, order="F")
    if layout == "read-only":
        array = array.copy()
        array.setflags(write=False)
    elif array.ndim and layout == "every other":
        wide = np.full((*array.shape[:-1], 2 * array.shape[-1]), np.nan)
        wide[..., ::2] = array
        return wide[..., ::2]
    elif array.ndim and layout == "reversed":
        return array[::-1].copy()[::-1]
    elif array.ndim and len(array) and layout == "stride 0":
        return np.broadcast_to(array[:1], array.shape)
    return array


@st.composite
def one_array(draw: st.DrawFn, domain: str = "any") -> Case:
    return Case((draw(numbers(draw(SHAPES), domain)),))


@st.composite
def two_arrays(draw: st.DrawFn, second: str = "any") -> Case:
    shapes = draw(
        hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, min_side=0, max_side=3)
    )
    x, y = shapes.input_shapes
    return Case((draw(numbers(x)), draw(numbers(y, second))))


@st.composite
def matmul_cases(draw: st.DrawFn) -> Case:
    shapes = draw(
        hnp.mutually_broadcastable_shapes(
            signature="(n?,k),(k,m?)->(n?,m?)", max_dims=2, min_side=0, max_side=3
        )
    )
    x, y = shapes.input_shapes
    return Case((draw(numbers(x)), draw(numbers(y))))


@st.composite
def sum_cases(draw: st.DrawFn) -> Case:
    shape = draw(SHAPES)
    dims = draw(
        st.lists(st.integers(0, len(shape) - 1), min_size=1, max_size=3, unique=True)
        if shape
        else st.none()
    )
    if dims:
        signs = [d - len(shape) if draw(st.booleans()) else d for d in dims]
        dims = draw(st.sampled_from([None, signs[0], tuple(signs), signs]))
    return Case((draw(numbers(shape)),), (dims, draw(st.booleans())))


@st.composite
def reshape_cases(draw: st.DrawFn) -> Case:
    shape = draw(SHAPES)
    size = int(np.prod(shape))
    to = draw(st.sampled_from([(-1,), (size,), shape[::-1], (1, *shape), (*shape, 1), shape]))
    if size and to and draw(st.booleans()):
        place = draw(st.integers(0, len(to) - 1))
        to = (*to[:place], -1, *to[place + 1 :])
    return Case((draw(numbers(shape)),), (to,))


@st.composite
def permute_cases(draw: st.DrawFn) -> Case:
    shape = draw(SHAPES)
    dims = draw(st.permutations(range(len(shape))))
    signed = tuple(d - len(shape) if draw(st.booleans()) else d for d in dims)
    return Case((draw(numbers(shape)),), (signed,))


@st.composite
def expand_cases(draw: st.DrawFn) -> Case:
    shape = draw(SHAPES)
    side = st.integers(0, 3)
    own = [
        draw(st.sampled_from([length, -1])) if length != 1 else draw(st.sampled_from([-1, 0, 1, 3]))
        for length in shape
    ]
    return Case((draw(numbers(shape)),), ((*draw(st.lists(side, max_size=2)), *own),))


@st.composite
def getitem_cases(draw: st.DrawFn) -> Case:
    shape = draw(SHAPES)
    kinds = [hnp.basic_indices(shape, allow_newaxis=True, max_dims=4), hnp.arrays(bool, shape)]
    if shape and 0 not in shape:
        kinds.append(hnp.integer_array_indices(shape, result_shape=hnp.array_shapes(max_side=4)))
        kinds.append(st.lists(st.integers(-shape[0], shape[0] - 1), min_size=1, max_size=4))
    return Case((draw(numbers(shape)),), (draw(st.one_of(kinds)),))


@st.composite
def loss_cases(draw: st.DrawFn) -> Case:
    reduction = draw(st.sampled_from(["mean", "sum", "none"]))
    batch = draw(st.integers(reduction == "mean", 4))
    classes = draw(st.integers(1, 4))
    labels = draw(hnp.arrays(np.int64, (batch,), elements=st.integers(0, classes - 1)))
    return Case((draw(numbers((batch, classes))),), (labels, reduction))


def _their_getitem(x: Any, index: Any) -> Any:
    """NumPy's indexing, negative steps and all, by way of the elements' numbers."""
    import torch

    taken = np.arange(x.numel()).reshape(tuple(x.shape))[index]
    return x.reshape(-1)[torch.from_numpy(np.array(taken))]


def _our_loss(logits: Any, labels: Array, reduction: str) -> Tensor:
    return engine.cross_entropy(logits, labels, reduction=reduction)


def _their_loss(logits: Any, labels: Array, reduction: str) -> Any:
    import torch

    function = torch.nn.functional.cross_entropy
    return function(logits, torch.from_numpy(labels.copy()), reduction=reduction)


def _their_sum(x: Any, dims: Any, keepdim: bool) -> Any:
    return x.sum(dim=list(range(x.ndim)) if dims is None else dims, keepdim=keepdim)


OPERATIONS = [
    Operation("negative", one_array(), engine.negative, lambda x: -x),
    Operation("exp", one_array(), engine.exp, lambda x: x.exp()),
    Operation("log", one_array("positive"), engine.log, lambda x: x.log()),
    Operation("relu", one_array(), engine.relu, lambda x: x.maximum(0 * x.detach())),
    Operation("add", two_arrays(), engine.add, lambda x, y: x + y),
    Operation("subtract", two_arrays(), engine.subtract, lambda x, y: x - y),
    Operation("multiply", two_arrays(), engine.multiply, lambda x, y: x * y),
    Operation("true_divide", two_arrays("not 0"), engine.true_divide, lambda x, y: x / y),
    Operation("maximum", two_arrays(), engine.maximum, lambda x, y: x.maximum(y)),
    Operation("matmul", matmul_cases(), engine.matmul, lambda x, y: x @ y),
    Operation(
        "sum", sum_cases(), lambda x, dim, keep: engine.sum(x, dim=dim, keepdim=keep), _their_sum
    ),
    Operation("reshape", reshape_cases(), engine.reshape, lambda x, shape: x.reshape(shape)),
    Operation("permute", permute_cases(), engine.permute, lambda x, dims: x.permute(dims)),
    Operation("expand", expand_cases(), engine.expand, lambda x, shape: x.expand(shape)),
    Operation("getitem", getitem_cases(), engine.getitem, _their_getitem),
    Operation("cross_entropy", loss_cases(), _our_loss, _their_loss),
]
BY_NAME = {operation.name: operation for operation in OPERATIONS}


# Random graphs


@dataclass(frozen=True)
class Program:
    """A computation on some leaves; every value can be used several times.

    A line is `(operation, operands, params)`; the operands count the leaves first, then the lines.
    """

    leaves: tuple[Array, ...]
    needs_grad: tuple[bool, ...]
    lines: tuple[tuple[str, tuple[int, ...], tuple[Any, ...]], ...]
    end_grad: Array

    def run(self, leaves: Sequence[Any], functions: dict[str, Callable[..., Any]]) -> list[Any]:
        """All values, the leaves first and the root last."""
        values = list(leaves)
        for name, operands, params in self.lines:
            values.append(functions[name](*(values[i] for i in operands), *params))
        return values

    def build(self, dtype: Any = None) -> tuple[list[Tensor], Tensor]:
        """The program on the engine: its leaves and its root."""
        leaves = [
            Tensor(array, needs, dtype or np.float32)
            for array, needs in zip(self.leaves, self.needs_grad, strict=True)
        ]
        return leaves, self.run(leaves, OURS)[-1]


OURS = {operation.name: operation.ours for operation in OPERATIONS}
THEIRS = {operation.name: operation.theirs for operation in OPERATIONS}
THEIRS["maximum_number"] = lambda x, number: x.clamp(min=number)
OURS["maximum_number"] = engine.maximum
for _name in ("add", "multiply", "true_divide"):
    OURS[f"{_name}_number"] = OURS[_name]
    THEIRS[f"{_name}_number"] = THEIRS[_name]

LEAF_SHAPES = [(), (3,), (2, 3), (3, 2), (1, 3), (2, 1), (3, 3), (2, 1, 3)]
WORDS = [
    *("add", "multiply", "subtract", "maximum", "true_divide", "exp", "log", "relu"),
    *("negative", "sum", "permute", "reshape", "getitem", "expand", "matmul"),
]


@st.composite
def programs(draw: st.DrawFn, least: int = 1, most: int = 40) -> Program:
    """Programs of `least` to `most` random operations and those that tie up the loose ends.

    The numbers stay tame (nothing overflows, and no maximum is nearly a tie), so that two
    correct engines have to agree closely on values and gradients.
    """
    shapes = draw(st.lists(st.sampled_from(LEAF_SHAPES), min_size=1, max_size=4))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    leaves = tuple(np.asarray(rng.uniform(-2, 2, shape)) for shape in shapes)
    needs = (True, *(draw(st.integers(0, 3)) > 0 for _ in shapes[1:]))
    writer = _Writer(leaves, needs)
    count = draw(st.integers(least, most))
    word = st.tuples(st.sampled_from(WORDS), st.integers(0, 50), st.integers(0, 50))
    for name, a, b in draw(st.lists(word, min_size=count, max_size=count)):
        writer.write(name, a, b, rng)
    writer.tie_up(draw(st.booleans()))
    return Program(
        leaves, needs, tuple(writer.lines), np.asarray(rng.normal(size=writer.values[-1].shape))
    )


class _Writer:
    """Makes lines of a program of random words, looking at the numbers meanwhile."""

    def __init__(self, leaves: Sequence[Array], needs: Sequence[bool]) -> None:
        self.values = [Tensor(array, dtype=np.float64) for array in leaves]
        self.needs = list(needs)
        self.used: set[int] = set()
        self.lines: list[tuple[str, tuple[int, ...], tuple[Any, ...]]] = []

    def line(self, name: str, *operands: int, params: tuple[Any, ...] = ()) -> int:
        self.lines.append((name, operands, params))
        self.values.append(OURS[name](*(self.values[i] for i in operands), *params))
        self.needs.append(any(self.needs[i] for i in operands))
        self.used.update(operands)
        largest = np.abs(self.values[-1].array).max(initial=0)
        if largest > 8:
            return self.line(
                "multiply_number",
                len(self.values) - 1,
                params=(2.0 ** -int(np.log2(largest)),),
            )
        return len(self.values) - 1

    def shape(self, i: int) -> tuple[int, ...]:
        return self.values[i].shape

    def fitting(self, x: int, fits: Callable[[int], bool], choice: int) -> int | None:
        fit = [i for i in reversed(range(len(self.values))) if fits(i)]
        return fit[choice % len(fit)] if fit else None

    def write(self, name: str, a: int, b: int, rng: np.random.Generator) -> None:
        x = len(self.values) - 1 - a % min(len(self.values), 8)
        shape, size = self.shape(x), self.values[x].numel()
        if name in ("add", "subtract", "multiply", "true_divide", "maximum"):
            y = self.fitting(x, lambda i: self._broadcasts(x, i), b)
            y = x if y is None else y  # with itself anything broadcasts
            if name == "true_divide":
                y = self.line("add_number", self.line("multiply", y, y), params=(1.0,))
            if name == "maximum" and x != y and self._nearly_tie(x, y):
                self.line("maximum_number", x, params=(0.328147,))
            else:
                self.line(name, x, y)
        elif name == "log":
            square = self.line("add_number", self.line("multiply", x, x), params=(0.5,))
            self.line("log", square)
        elif name == "exp":
            self.line("exp", self.line("multiply_number", x, params=(0.25,)))
        elif name == "relu" and not (np.abs(self.values[x].array) < 1e-6).any():
            self.line("relu", x)
        elif name == "sum":
            dims = None if not shape or b % 3 == 0 else b % len(shape)
            self.line("sum", x, params=(dims, b % 2 == 0))
        elif name == "permute":
            self.line("permute", x, params=(tuple(rng.permutation(len(shape)).tolist()),))
        elif name == "reshape":
            self.line("reshape", x, params=([(-1,), (1, size), shape[::-1]][b % 3],))
        elif name == "getitem" and shape:
            taken = rng.integers(-shape[0], shape[0], 1 + b % 3)
            self.line("getitem", x, params=(int(taken[0]) if b % 2 else taken,))
        elif name == "expand" and size <= 18:
            self.line("expand", x, params=((1 + b % 3, *([-1] * len(shape))),))
        elif name == "matmul" and shape:
            y = self.fitting(x, lambda i: self._multiplies(x, i), b)
            if y is not None:
                self.line("matmul", x, y)
        else:
            self.line("negative", x)

    def tie_up(self, to_one_number: bool) -> None:
        """Let the root depend on all, or (not to one number) on whatever its last line does."""
        loose = [i for i in range(len(self.values)) if i not in self.used]
        if to_one_number or not self.needs[-1]:
            total = self.line("sum", 0, params=(None, False))
            for i in loose:
                total = self.line("add", total, self.line("sum", i, params=(None, False)))

    def _broadcasts(self, x: int, y: int) -> bool:
        try:
            shape = np.broadcast_shapes(self.shape(x), self.shape(y))
        except ValueError:
            return False
        return int(np.prod(shape)) <= 54

    def _multiplies(self, x: int, y: int) -> bool:
        try:
            return np.matmul(self.values[x].array, self.values[y].array).size <= 54
        except ValueError:
            return False

    def _nearly_tie(self, x: int, y: int) -> bool:
        return bool((np.abs(self.values[x].array - self.values[y].array) < 1e-6).any())


@contextmanager
def replaced(function: Any, position: int, back: Callable[..., Any]) -> Iterator[None]:
    """Another backward function in the registry, for a while."""
    before = engine.BACK_FUNCS.get_back_func(function, position)
    engine.BACK_FUNCS.add_back_func(function, position, back)
    try:
        yield
    finally:
        engine.BACK_FUNCS.add_back_func(function, position, before)


def take_all(backward_pass: engine.BackwardPass) -> list[engine.Step]:
    """Take all steps that are left; all of the pass."""
    while not backward_pass.finished:
        backward_pass.step()
    return backward_pass.steps
