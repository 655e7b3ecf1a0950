"""Calculating with float32 arrays that have no dimension.

NumPy takes ten times as long for them as for its scalars. The results are the same to the bit: how
these operations round is laid down (IEEE 754).
"""

from __future__ import annotations

import operator

import numpy as np

from engine.registry import ForwardFunc

ON_NUMBERS: dict[ForwardFunc, ForwardFunc] = {
    np.add: operator.add,
    np.subtract: operator.sub,
    np.multiply: operator.mul,
    np.true_divide: operator.truediv,
}
"""What computes the same of a float32 scalar and a Python number."""

BACKWARD_ON_NUMBERS: frozenset[ForwardFunc] = frozenset(
    {*ON_NUMBERS, np.negative, np.exp, np.log, np.sqrt, np.sin, np.cos, np.tanh}
)
"""The functions whose own backward functions take scalars for arrays of no dimension."""
