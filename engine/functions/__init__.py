"""Functions on Tensors, each beside its backward functions, one family a file.

The first line of a backward function's docstring is its formula, in the names of its parameters;
the debugger shows it with the numbers of a step.
"""

from engine.functions.arithmetic import (
    add,
    exp,
    log,
    maximum,
    multiply,
    negative,
    relu,
    subtract,
    true_divide,
)
from engine.functions.comparison import argmax, eq, ge, gt, le, lt, ne
from engine.functions.indexing import coerce_index, getitem
from engine.functions.linear_algebra import matmul
from engine.functions.loss import cross_entropy
from engine.functions.reduction import sum
from engine.functions.shape import expand, permute, reshape, transposed

__all__ = [
    "add",
    "argmax",
    "coerce_index",
    "cross_entropy",
    "eq",
    "exp",
    "expand",
    "ge",
    "getitem",
    "gt",
    "le",
    "log",
    "lt",
    "matmul",
    "maximum",
    "multiply",
    "ne",
    "negative",
    "permute",
    "relu",
    "reshape",
    "subtract",
    "sum",
    "transposed",
    "true_divide",
]
