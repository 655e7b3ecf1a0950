"""Conditions on values of steps that never were, for the tests of the language."""

from __future__ import annotations

from typing import Any

import numpy as np

from tui.session.breaking.evaluation import EvaluationError, evaluate, holds
from tui.session.breaking.reasons import reason
from tui.session.breaking.syntax import ExpressionError, parse


class Given:
    """Values of a step that never was."""

    def __init__(self, **values: Any) -> None:
        self.values: dict[str, Any] = {
            "grad_out": np.array([[1.0, -2.0, 0.0], [4.0, 5.5, 12.25]], np.float32),
            "contribution": np.array([0.5, np.nan, np.inf], np.float32),
            "accumulated": np.zeros(3, np.float32),
            "value": np.float32(0.1) * np.ones((2, 1), np.float32),
            "op": "matmul",
            "name": "linear1.weight",
            "shape": (64, 10),
            "dtype": "float32",
            "step": 5,
            "nan": False,
            "inf": False,
            "zero": True,
            "mismatch": False,
            "changed": False,
            **values,
        }

    def get(self, name: str) -> Any:
        return self.values[name]

    def why(self, name: str) -> str | None:
        return f"{name} is so" if self.values[name] else None


def error_in(text: str) -> ExpressionError | None:
    """What is wrong with a text; None where it is a condition."""
    try:
        parse(text)
    except ExpressionError as error:
        return error
    return None


def assert_computed_or_said_not_to_be(text: str, values: Given) -> None:
    tree = parse(text)
    try:
        value = evaluate(tree, values)
    except EvaluationError as error:
        value, said = None, str(error)
    else:
        said = ""
    if value is None:
        assert "cannot be computed" in said
    elif holds(value):
        assert isinstance(reason(tree, values), str)
