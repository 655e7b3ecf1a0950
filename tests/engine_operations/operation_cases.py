"""The table: every differentiable function of the engine, on which inputs, and PyTorch's for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import engine

SMOOTH = ((), (0,), (1,), (2, 3))
"""Shapes for a function of one tensor: a number, none, one, several."""

PAIRS = (
    ((), ()),
    ((0,), (0,)),
    ((1,), (2, 3)),
    ((2, 3), (2, 3)),
    ((2, 3), (3,)),
    ((3,), (2, 3)),
    ((2, 1), (1, 3)),
    ((2, 3), ()),
    ((), (4,)),
    ((0, 3), (1, 1)),
    ((2, 1, 3), (4, 1)),
)
"""Shapes for a function of two tensors that broadcast, in both directions."""


@dataclass(frozen=True)
class Case:
    """One call."""

    name: str
    """The function's name, in the engine and in PyTorch."""
    shapes: tuple[tuple[int, ...], ...]
    """The tensors' shapes."""
    kwargs: dict[str, Any] = field(default_factory=dict)
    args: tuple[Any, ...] = ()
    """What comes after the tensors."""
    positive: bool = False
    """Whether the elements have to be above 0."""
    listed: bool = False
    """Whether the function takes its tensors in a list."""
    torch_name: str = ""

    def __str__(self) -> str:
        options = ",".join(f"{k}={v}" for k, v in self.kwargs.items())
        options += ",".join(map(str, self.args))
        return f"{self.name}-{'-'.join(map(str, self.shapes))}-{options}".replace(" ", "")

    def arrays(self) -> list[np.ndarray]:
        """Elements that differ by at least a little, so that no two of them tie."""
        random = np.random.default_rng(len(str(self)))
        total = sum(int(np.prod(shape)) for shape in self.shapes)
        values = (np.arange(total) - total / 2 + random.uniform(0.1, 0.4, total)) / 3
        if self.positive:
            values = np.abs(values) + 0.2
        random.shuffle(values)
        ends = np.cumsum([int(np.prod(shape)) for shape in self.shapes])[:-1]
        return [
            part.reshape(shape)
            for part, shape in zip(np.split(values, ends), self.shapes, strict=True)
        ]

    def call(self, function: Callable[..., Any], tensors: list[Any]) -> Any:
        """The function's (first) result."""
        inputs = [tensors] if self.listed else tensors
        out = function(*inputs, *self.args, **self.kwargs)
        return out[0] if isinstance(out, tuple) else out

    def ours(self, tensors: list[Any]) -> Any:
        """What the engine computes."""
        return self.call(getattr(engine, self.name), tensors)

    def theirs(self, tensors: list[Any]) -> Any:
        """What PyTorch computes."""
        import torch

        name = self.torch_name or self.name
        places = (torch, torch.Tensor, torch.nn.functional)
        function = next(getattr(place, name) for place in places if hasattr(place, name))
        return self.call(function, tensors)


def one(name: str, *shapes: tuple[int, ...], positive: bool = False, **kwargs: Any) -> list[Case]:
    """A case for each shape of a function of one tensor."""
    return [Case(name, (shape,), kwargs, positive=positive) for shape in shapes or SMOOTH]


def two(name: str, *, positive: bool = False) -> list[Case]:
    """A case for each pair of shapes that broadcast."""
    return [Case(name, pair, positive=positive) for pair in PAIRS]


ELEMENTWISE = [
    case
    for name in ("negative", "abs", "exp", "sin", "cos", "tanh", "sigmoid")
    for case in one(name)
]
ELEMENTWISE += [case for name in ("log", "sqrt") for case in one(name, positive=True)]
ELEMENTWISE += [
    case for name in ("add", "subtract", "multiply", "maximum", "minimum") for case in two(name)
]
ELEMENTWISE += [*two("true_divide", positive=True), *two("pow", positive=True)]
ELEMENTWISE += [
    Case("pow", ((2, 3),), args=(exponent,)) for exponent in (0, 1, 2, 3, 2.0, -1, -2, 3.0)
]
ELEMENTWISE += [Case("pow", ((2, 3),), args=(exponent,), positive=True) for exponent in (0.5, -1.5)]
ELEMENTWISE += [
    Case("clamp", ((2, 3),), kwargs)
    for kwargs in ({"min": -0.5}, {"max": 0.5}, {"min": -0.4, "max": 0.6}, {"min": 1, "max": -1})
]
ELEMENTWISE += [
    Case("clamp", shapes) for shapes in (((2, 3), (3,), ()), ((2, 3), (2, 1), (3,)), ((4,), (4,)))
]

ELEMENTWISE += [case for name in ("neg", "clone") for case in one(name)]
ELEMENTWISE += [Case(name, ((2, 3), (3,))) for name in ("sub", "mul")]
ELEMENTWISE += [Case("div", ((2, 3), (3,)), positive=True)]
ELEMENTWISE += [Case("clip", ((2, 3),), args=(-0.5, 0.5))]

DIMS: tuple[dict[str, Any], ...] = (
    {},
    {"dim": 0},
    {"dim": -1, "keepdim": True},
    {"dim": (0, 2)},
    {"dim": (1, 0), "keepdim": True},
    {"dim": (0, 1, 2)},
)
SOLID = (2, 3, 4)

REDUCTIONS = [
    Case(name, (SOLID,), kwargs)
    for name in ("sum", "mean", "var", "std", "amax", "amin")
    for kwargs in DIMS
]
REDUCTIONS += [Case(name, (SOLID,), {"dim": ()}) for name in ("sum", "mean", "amax", "amin")]
REDUCTIONS += [case for name in ("sum", "mean", "prod") for case in one(name)]
REDUCTIONS += one("sum", (0, 3), (3, 0), dim=0) + one("mean", (3, 0), dim=0)
REDUCTIONS += [case for name in ("amax", "amin") for case in one(name, (), (1,), (1, 1))]
REDUCTIONS += one("amax", (3, 0), dim=0)
REDUCTIONS += [
    Case(name, (SOLID,), {"correction": correction, "dim": dim})
    for name in ("var", "std")
    for correction in (0, 2)
    for dim in (None, 2, (0, 1))
]
REDUCTIONS += one("var", (2, 3), unbiased=False)
REDUCTIONS += [
    Case(name, ((2, 3),), args=args)
    for name in ("var", "std")
    for args in ((False,), (True,), (0, False), (1, True, True), ((0, 1), False, True))
]
REDUCTIONS += [
    Case(name, (SOLID,), kwargs)
    for name in ("max", "min", "prod")
    for kwargs in ({}, {"dim": 1}, {"dim": -1, "keepdim": True})
]
REDUCTIONS += [case for name in ("max", "min", "prod") for case in one(name, (), (1,), dim=-1)]
REDUCTIONS += [Case(name, ((2, 3), (3,))) for name in ("max", "min")]
REDUCTIONS += one("prod", (0, 3), (3, 0), dim=1)
REDUCTIONS += [case for dim in (0, -1) for case in one("cumsum", (), (0,), (1,), (2, 3), dim=dim)]
REDUCTIONS += [
    Case("logsumexp", (SOLID,), {"dim": dim, "keepdim": keepdim})
    for dim in (0, -1, (0, 2))
    for keepdim in (False, True)
]
REDUCTIONS += one("logsumexp", (), (1,), (0, 2), dim=0)
REDUCTIONS += [
    case
    for name in ("softmax", "log_softmax")
    for dim in (0, -1)
    for case in one(name, (), (0,), (1,), (2, 3), (2, 3, 4), dim=dim)
]
REDUCTIONS += [
    case
    for descending in (False, True)
    for dim in (0, -1)
    for case in one("sort", (), (0,), (1,), (2, 3), SOLID, dim=dim, descending=descending)
]

SHAPES = [
    Case(name, (SOLID,), args=(shape,))
    for name in ("reshape", "view")
    for shape in ((24,), (-1,), (6, -1), (2, 1, 12), [4, 6])
]
SHAPES += [Case("reshape", ((),), args=((),)), Case("reshape", ((),), args=((1, 1),))]
SHAPES += [Case("reshape", ((0,),), args=((3, 0),)), Case("reshape", ((1,),), args=((),))]
SHAPES += [Case("permute", (SOLID,), args=(dims,)) for dims in ((2, 0, 1), (-1, 0, -2), [1, 0, 2])]
SHAPES += [Case("permute", ((),), args=((),)), Case("permute", ((0, 2),), args=((1, 0),))]
SHAPES += [Case("transpose", (SOLID,), args=dims) for dims in ((0, 1), (-1, 0), (1, 1))]
SHAPES += [Case("transpose", ((),), args=(0, -1))]
SHAPES += [
    Case("squeeze", ((1, 3, 1, 2),), kwargs)
    for kwargs in ({}, {"dim": 0}, {"dim": 1}, {"dim": (0, 2)}, {"dim": -2}, {"dim": ()})
]
SHAPES += [Case("squeeze", ((),)), Case("squeeze", ((),), {"dim": 0}), Case("squeeze", ((1, 0),))]
SHAPES += [Case("unsqueeze", ((2, 3),), {"dim": dim}) for dim in (0, 1, 2, -1, -3)]
SHAPES += [Case("unsqueeze", ((),), {"dim": dim}) for dim in (0, -1)]
SHAPES += [
    Case("flatten", (SOLID,), kwargs)
    for kwargs in ({}, {"start_dim": 1}, {"end_dim": 1}, {"start_dim": 1, "end_dim": -1})
]
SHAPES += one("flatten", (), (0,), (1,), (2, 0, 3))
SHAPES += [
    Case("expand", (shape,), args=(to,))
    for shape, to in (
        ((3,), (2, 3)),
        ((1, 3), (4, 3)),
        ((2, 1), (-1, 5)),
        ((), (2, 2)),
        ((), ()),
        ((1,), (0,)),
        ((3, 1), (2, -1, 4)),
    )
]
SHAPES += [
    Case("cat", shapes, {"dim": dim}, listed=True)
    for shapes, dim in (
        (((2, 3),), 0),
        (((2, 3), (1, 3), (2, 3)), 0),
        (((2, 3), (2, 1)), -1),
        (((0,), (2,)), 0),
        (((2, 2, 1), (2, 0, 1), (2, 3, 1)), 1),
    )
]
SHAPES += [
    Case("stack", (shape,) * count, {"dim": dim}, listed=True)
    for shape, count, dim in (
        ((), 3, 0),
        ((2, 3), 2, 0),
        ((2, 3), 2, 1),
        ((2, 3), 3, -1),
        ((0,), 2, 0),
        ((2,), 1, -2),
    )
]
SHAPES += [
    Case("pad", (shape,), {"pad": widths, "value": value})
    for shape, widths, value in (
        ((3,), (1, 2), 0.5),
        ((2, 3), (1, 0), 0.0),
        ((2, 3), (0, 1, 2, 0), -1.0),
        ((2, 3, 2), (1, 1, 0, 0, 2, 1), 2),
        ((4,), (-1, 2), 1.0),
        ((2, 4), (-1, -2, 0, 3), 1.0),
        ((0,), (1, 1), 3.0),
        ((2, 3), (), 1.0),
    )
]
SHAPES += [
    Case("pad", (shape,), {"pad": widths, "mode": mode})
    for mode in ("reflect", "replicate", "circular")
    for shape, widths in (
        ((2, 3), (1, 2)),
        ((2, 3), (2, 0)),
        ((1, 2, 3), (2, 1)),
        ((2, 3, 4), (3, 1, 2, 0)),
        ((1, 2, 3, 4), (0, 1, 1, 2)),
        ((1, 2, 2, 3, 4), (1, 1, 0, 2, 1, 1)),
        ((2, 6), (-1, 2)),
        ((2, 5), (-2, -1)),
        ((2, 3), (0, 0)),
    )
]
SHAPES += [
    Case("split", (shape,), {"dim": dim}, args=(sizes,))
    for shape, sizes, dim in (((5,), 2, 0), ((2, 5), [1, 0, 4], 1), ((2, 3), 7, -1), ((0,), 2, 0))
]
SHAPES += [
    Case("chunk", (shape,), {"dim": dim}, args=(count,))
    for shape, count, dim in (((5,), 2, 0), ((2, 5), 4, -1), ((2, 3), 7, 0), ((0,), 2, 0))
]
SHAPES += [Case("concat", ((2, 3), (2, 1)), {"dim": 1}, listed=True)]

PRODUCTS = [
    Case("matmul", shapes)
    for shapes in (
        ((3,), (3,)),
        ((2, 3), (3,)),
        ((3,), (3, 2)),
        ((2, 3), (3, 4)),
        ((2, 2, 3), (3, 4)),
        ((2, 3), (5, 3, 4)),
        ((2, 2, 3), (3,)),
        ((3,), (2, 3, 4)),
        ((2, 1, 2, 3), (5, 3, 2)),
        ((2, 2, 3), (2, 3, 1)),
        ((1, 2, 3), (4, 3, 2)),
        ((0,), (0,)),
        ((2, 0), (0, 3)),
        ((0, 3), (3, 2)),
        ((2, 0, 0), (0, 0)),
        ((0, 2, 3), (3, 2)),
        ((0, 2, 3), (3,)),
    )
]
PRODUCTS += [Case("mm", shapes) for shapes in (((2, 3), (3, 4)), ((2, 0), (0, 3)))]
PRODUCTS += [Case("bmm", shapes) for shapes in (((2, 2, 3), (2, 3, 1)), ((0, 2, 3), (0, 3, 2)))]
PRODUCTS += [Case("dot", ((n,), (n,))) for n in (0, 1, 4)]
PRODUCTS += [Case("outer", shapes) for shapes in (((2,), (3,)), ((1,), (4,)), ((0,), (2,)))]

ALL = ELEMENTWISE + REDUCTIONS + SHAPES + PRODUCTS
