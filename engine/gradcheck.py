"""Checking whole functions of Tensors against central differences, in float64."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from engine.argument_check import ArgumentCheck, CannotCheck, GradcheckError, Tally, weights
from engine.backward import BackwardPass
from engine.backward_check import STEP, check_backward_func, first_difference
from engine.central_differences import Differences
from engine.grad_mode import no_grad
from engine.registry import Array
from engine.tensor import FLOAT64, Tensor

__all__ = [
    "ArgumentCheck",
    "CannotCheck",
    "GradcheckError",
    "check_backward_func",
    "first_difference",
    "gradcheck",
]


def gradcheck(
    fn: Callable[..., Tensor],
    inputs: Tensor | Sequence[Any],
    eps: float = STEP,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
) -> bool:
    """Check the gradients that a backward pass through `fn` gives its inputs.

    Everything is computed in float64, on copies. Where the result has several elements, their sum
    with fixed random weights is differentiated.

    Args:
        fn: a function of Tensors, made of the engine's operations.
        inputs: what it is called with; the Tensors that require grad are checked.
        eps: the step of the central differences.
        atol, rtol: a gradient is right up to atol + rtol * abs(expected).
        raise_exception: whether a wrong gradient raises, or just gives False.

    Returns:
        Whether all gradients are right.

    Raises:
        GradcheckError: one is wrong; it names the input, the worst element, got and expected.
        ValueError: no input requires grad.
    """
    given = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    copies = [_in_float64(value) for value in given]
    checked = [i for i, v in enumerate(copies) if isinstance(v, Tensor) and v.requires_grad]
    if not checked:
        raise ValueError("gradcheck: no input requires grad, so there is nothing to check")
    out = fn(*copies)
    if not out.requires_grad:
        raise GradcheckError("gradcheck: the result of the function does not require grad")
    grad_out = weights(out.shape)
    BackwardPass(out, grad_out).run(keep_steps=False)

    def differences(i: int) -> Differences:
        def evaluate(moved: Array) -> Array:
            with no_grad():
                given = [*copies[:i], Tensor(moved.copy(), dtype=FLOAT64), *copies[i + 1 :]]
                return fn(*given).array

        return Differences(evaluate, copies[i].array, grad_out, eps, atol, rtol)

    checks = []
    for i in checked:
        grad = copies[i].grad
        got = np.zeros(copies[i].shape) if grad is None else grad.array
        tally = Tally(i, got, differences(i))
        tally.test(np.ndindex(got.shape))
        checks.append(tally.result())
    wrong = [check for check in checks if not check.ok]
    if wrong and raise_exception:
        raise GradcheckError("gradcheck: " + "; ".join(str(check) for check in wrong))
    return not wrong


def _in_float64(value: Any) -> Any:
    if not isinstance(value, Tensor):
        return value
    if value.dtype.kind == "f" or value.requires_grad:
        return Tensor(value.array.astype(FLOAT64), value.requires_grad, FLOAT64)
    return value.detach()
