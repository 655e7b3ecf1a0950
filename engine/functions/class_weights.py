"""Losses of examples that do not count alike: classes have weights, some targets none at all."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.errors import ShapeError
from engine.functions.arithmetic import multiply, true_divide
from engine.functions.extremes import where
from engine.functions.indexing import getitem
from engine.functions.reduction import sum
from engine.registry import Array
from engine.tensor import Tensor


class ClassWeights:
    """What each example's loss counts for, by its target.

    Args:
        loss: the name of the loss, and
        called: what it calls its targets, for the errors.
        targets: integers, any shape.
        classes: how many there are.
        weight: (classes,), or None for 1.
        ignore_index: examples with this target do not count.
        dtype: what a weight that is no Tensor is converted to.

    Raises:
        ShapeError: the weight is not one number for each class.
        TypeError: it is something else.
        IndexError: a target is no class.
    """

    def __init__(
        self,
        loss: str,
        called: str,
        targets: Array,
        classes: int,
        weight: Any,
        ignore_index: int,
        dtype: np.dtype[Any],
    ) -> None:
        kept = targets != ignore_index
        wrong = targets[kept & ((targets < 0) | (targets >= classes))]
        if wrong.size:
            raise IndexError(f"{loss}: {called} {wrong[0]} is none of the {classes} classes")
        self.kept = None if kept.all() else Tensor(kept)
        """Which examples count; None where all do."""
        self.targets = np.where(kept, targets, 0).astype(np.int64, copy=False)
        """The targets; those to be ignored are some class."""
        self.weight = None if weight is None else weight_tensor(loss, weight, dtype)
        """(classes,), or None."""
        if self.weight is not None and self.weight.shape != (classes,):
            raise ShapeError(
                f"{loss}: weight has to be ({classes},), one number for each class, not "
                f"{self.weight.shape}"
            )
        self._of_targets = None if self.weight is None else getitem(self.weight, self.targets)

    def weigh(self, losses: Tensor) -> Tensor:
        """The loss of each example times the weight of its target."""
        return losses if self._of_targets is None else multiply(losses, self._of_targets)

    def reduce(self, losses: Tensor, reduction: str) -> Tensor:
        """Without the examples to be ignored: as they are, their sum, or the sum divided by the
        weights of the targets that count (NaN where there is none)."""
        losses = self._counting(losses)
        if reduction == "none":
            return losses
        total = sum(losses)
        if reduction == "sum":
            return total
        return true_divide(total, self._total())

    def _counting(self, values: Tensor) -> Tensor:
        return values if self.kept is None else where(self.kept, values, 0.0)

    def _total(self) -> Tensor | float:
        if self.kept is not None and not self.kept.array.any():
            return math.nan  # not 0, by which a gradient is not to be divided
        if self._of_targets is not None:
            return sum(self._counting(self._of_targets))
        return self.targets.size if self.kept is None else int(self.kept.array.sum())


def widened(targets: Array) -> Array:
    """Integers in a type that holds them and what they are compared to."""
    return targets if targets.dtype in _WIDE else targets.astype(np.int64)


_WIDE = np.dtype(np.int64), np.dtype(np.uint64)


def weight_tensor(loss: str, weight: Any, dtype: np.dtype[Any], name: str = "weight") -> Tensor:
    """A weight as a Tensor, in this dtype where it was none.

    Raises:
        TypeError: it holds no numbers.
    """
    if isinstance(weight, Tensor):
        return weight
    array = np.asarray(weight)
    if array.dtype.kind not in "fiu":
        raise TypeError(
            f"{loss}: {name} is a tensor of numbers, not {weight!r}; give the other arguments by "
            'their names, as in reduction="sum"'
        )
    wanted = dtype if dtype.kind == "f" else np.dtype(np.float32)
    return Tensor(array.astype(wanted), dtype=wanted)
