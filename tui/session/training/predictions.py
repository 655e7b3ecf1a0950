"""What the network says of the test data, as it is now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import engine
from tui.errors import Refused

AT_ONCE = 1000
"""How many examples the network is given at once."""

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Predictions:
    """The test data's classes, and what the network says they are.

    Shares are the softmax of a network's outputs: how cross-entropy reads them.
    """

    inputs: Array
    labels: Array
    """(n,) the classes."""
    said: Array
    """(n,) the class with the largest output."""
    shares: Array
    """(n, classes) in float64, each row adds up to 1; NaN where an output is not finite."""

    @property
    def is_right(self) -> Array:
        """(n,) whether the network is right."""
        return np.asarray(self.said == self.labels)

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return int(self.shares.shape[1])

    def worst_first(self) -> Array:
        """(n,) the examples: the wrong ones first, those of which the network is surest; then the
        right ones, those of which it is least sure."""
        sure = np.nan_to_num(self.shares[np.arange(len(self.said)), self.said], nan=2.0)
        return np.lexsort((np.where(self.is_right, sure, -sure), self.is_right))


def predictions(training: engine.Training) -> Predictions:
    """What the network says of the test data.

    Raises:
        Refused: there is none, or it has no classes.
    """
    if training.test_data is None or not len(training.test_data[0]):
        raise Refused("this training has no test data")
    inputs, labels = training.test_data
    if labels.dtype.kind not in "iu" or labels.ndim != 1:
        raise Refused("the test data has no classes: its labels are not whole numbers")
    outputs: list[Array] = []
    for start in range(0, len(inputs), AT_ONCE):
        output = training.predict(inputs[start : start + AT_ONCE])
        if not isinstance(output, engine.Tensor) or output.ndim != 2:
            raise Refused("the network gives no row of scores, one for each class")
        outputs.append(output.array)
    scores = np.concatenate(outputs).astype(np.float64)
    if labels.max() >= scores.shape[1] or labels.min() < 0:
        raise Refused(f"there are {scores.shape[1]} scores, but a class {labels.max()}")
    return Predictions(inputs, labels, scores.argmax(axis=1), _softmax(scores))


def _softmax(scores: Array) -> Array:
    with np.errstate(invalid="ignore", over="ignore"):
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))
