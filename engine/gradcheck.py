"""Checking backward functions against central differences, in float64.

A derivative is (f(x + h) - f(x - h)) / 2h up to an error of the order of h squared, plus rounding
of the order of eps / h; with float64 and a step near the cube root of eps both are small.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.backward import BackwardPass
from engine.grad_mode import no_grad
from engine.registry import Array, BackFunc, ForwardFunc
from engine.tensor import FLOAT64, Tensor

STEP = 1e-6
"""How far an element is moved to each side, times its size where that is above 1."""

KINK = 1e-3
"""How much (relatively) the slopes to both sides may differ before the element is at a kink."""


class GradcheckError(RuntimeError):
    """A gradient is not what the central differences say."""


@dataclass(frozen=True)
class ArgumentCheck:
    """What checking the gradient of one argument has found."""

    arg: int
    """The argument's position."""
    ok: bool
    max_error: float
    """The largest difference between got and expected, over the elements that were tested."""
    index: tuple[int, ...] | None
    """Where it is; None where nothing was tested."""
    got: float
    """The gradient there."""
    expected: float
    """What the central difference says."""
    tested: int
    """How many elements were tested."""
    kinks: int
    """How many were left out because the function has a kink within reach of the step: its slopes
    to both sides differ, so a central difference says nothing."""
    elements: int
    """How many elements the argument has."""

    def __str__(self) -> str:
        if self.index is None:
            return f"argument {self.arg}: nothing to test"
        return (
            f"argument {self.arg}: at {list(self.index)} the gradient is {self.got:.6g}, central "
            f"differences say {self.expected:.6g}"
        )


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
    weights = _weights(out.shape)
    BackwardPass(out, weights).run(keep_steps=False)

    def value() -> float:
        with no_grad():
            return float(np.sum(fn(*copies).array * weights))

    checks = []
    for i in checked:
        grad = copies[i].grad
        got = np.zeros(copies[i].shape) if grad is None else grad.array
        places = list(np.ndindex(copies[i].shape))
        checks.append(_compare(i, got, copies[i].array, value, places, eps, atol, rtol))
    wrong = [check for check in checks if not check.ok]
    if wrong and raise_exception:
        raise GradcheckError("gradcheck: " + "; ".join(str(check) for check in wrong))
    return not wrong


def check_backward_func(
    func: ForwardFunc,
    back: BackFunc,
    arg: int,
    args: Sequence[Any],
    kwargs: dict[str, Any] | None = None,
    at_most: int = 2000,
    eps: float = STEP,
    atol: float = 1e-5,
    rtol: float = 1e-3,
) -> ArgumentCheck:
    """Check one backward function, on the arguments that its forward function was called with.

    Args:
        func: the forward function, on arrays.
        back: the backward function of its argument `arg`.
        args, kwargs: what `func` is called with: arrays and numbers; not changed.
        at_most: of an argument with more elements a fixed random sample of so many is tested.
        eps, atol, rtol: see `gradcheck`.

    Raises:
        GradcheckError: the gradient has another shape than the argument.
        Whatever the two functions raise.
    """
    kwargs = kwargs or {}
    arrays = [_array_in_float64(value) for value in args]
    moved = np.asarray(arrays[arg])
    arrays[arg] = moved
    out = np.asarray(func(*arrays, **kwargs))
    grad_out = _weights(out.shape)
    result = back(grad_out, out, *arrays, **kwargs)
    got = np.asarray(result.array if isinstance(result, Tensor) else result, np.float64)
    if got.shape != moved.shape:
        raise GradcheckError(
            f"{getattr(back, '__name__', back)} returned a gradient of shape {got.shape}; its "
            f"argument has shape {moved.shape}"
        )
    places = _sample(moved.shape, at_most)

    def value() -> float:
        return float(np.sum(np.asarray(func(*arrays, **kwargs)) * grad_out))

    return _compare(arg, got, moved, value, places, eps, atol, rtol)


def _compare(
    arg: int,
    got: Array,
    moved: Array,
    value: Callable[[], float],
    places: list[tuple[int, ...]],
    eps: float,
    atol: float,
    rtol: float,
) -> ArgumentCheck:
    """Compare a gradient with central differences at some places; `value` is computed anew with
    `moved` changed in place, and put back."""
    worst: tuple[float, float, tuple[int, ...] | None, float, float] = (-1.0, 0.0, None, 0.0, 0.0)
    kinks = 0
    here = value()
    for place in places:
        original = moved[place]
        step = eps * max(1.0, abs(float(original)))
        try:
            moved[place] = original + step
            above = value()
            moved[place] = original - step
            below = value()
        finally:
            moved[place] = original
        expected = (above - below) / (2 * step)
        mine = float(got[place])
        error = abs(mine - expected)
        excess = error - (atol + rtol * abs(expected))
        if not error <= atol + rtol * abs(expected) and _is_kink(below, here, above, step):
            kinks += 1
            continue
        if excess > worst[0] or worst[2] is None or np.isnan(excess):
            worst = (float(excess), error, place, mine, expected)
            if np.isnan(excess):
                break
    excess, error, index, mine, expected = worst
    ok = index is None or excess <= 0
    return ArgumentCheck(
        arg, ok, max(0.0, error), index, mine, expected, len(places) - kinks, kinks, moved.size
    )


def _is_kink(below: float, here: float, above: float, step: float) -> bool:
    """Whether the slopes to both sides differ by more than curvature and rounding explain."""
    left, right = (here - below) / step, (above - here) / step
    rounding = 1e-15 * max(abs(below), abs(here), abs(above), 1.0) / step * 100
    return abs(right - left) > KINK * max(abs(left), abs(right)) + rounding


def _sample(shape: tuple[int, ...], at_most: int) -> list[tuple[int, ...]]:
    size = int(np.prod(shape))
    if size <= at_most:
        return list(np.ndindex(shape))
    chosen = np.random.default_rng(0).choice(size, at_most, replace=False)
    return [tuple(int(i) for i in np.unravel_index(flat, shape)) for flat in np.sort(chosen)]


def _weights(shape: tuple[int, ...]) -> Array:
    """Fixed random numbers away from 0, so that no part of a gradient is multiplied away."""
    drawn = np.random.default_rng(1).uniform(0.5, 1.5, shape)
    return drawn * np.where(np.random.default_rng(2).random(shape) < 0.5, -1.0, 1.0)


def _in_float64(value: Any) -> Any:
    if not isinstance(value, Tensor):
        return value
    if value.dtype.kind == "f" or value.requires_grad:
        return Tensor(value.array.astype(FLOAT64), value.requires_grad, FLOAT64)
    return value.detach()


def _array_in_float64(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return value.astype(FLOAT64)
    return float(value) if isinstance(value, float) else value
