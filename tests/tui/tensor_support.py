"""A tensor that is looked into, and what is drawn of it, as text."""

from __future__ import annotations

from typing import Any

from tui.session.tensors.text import plain_text
from tui.session.tensors.view import TensorView


def opened(array: Any) -> TensorView:
    looking = TensorView()
    looking.open(array)
    return looking


def text_of(rows: Any) -> str:
    return "\n".join(plain_text(row) for row in rows)
