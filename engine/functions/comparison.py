"""Functions that no gradient flows through: comparisons, argmax."""

from __future__ import annotations

import numpy as np

from engine.registry import Array
from engine.wrapping import wrap_forward_fn

eq = wrap_forward_fn(np.equal, is_differentiable=False, name="eq")
ne = wrap_forward_fn(np.not_equal, is_differentiable=False, name="ne")
lt = wrap_forward_fn(np.less, is_differentiable=False, name="lt")
le = wrap_forward_fn(np.less_equal, is_differentiable=False, name="le")
gt = wrap_forward_fn(np.greater, is_differentiable=False, name="gt")
ge = wrap_forward_fn(np.greater_equal, is_differentiable=False, name="ge")


def _argmax(x: Array, dim: int | None = None, keepdim: bool = False) -> Array:
    """Where the largest element along `dim` is (or in the flattened array): the first of equals."""
    return np.asarray(np.argmax(x, axis=dim, keepdims=keepdim))


argmax = wrap_forward_fn(_argmax, is_differentiable=False, name="argmax")
