"""A tensor of any number of dimensions as rows and columns."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tui.session.protocol import Array
from tui.session.tensors.slices import Index

VECTOR_COLUMNS = 10
"""A vector is written in rows of so many elements, so that a row and a column add up at a
glance."""


@dataclass(frozen=True)
class Table:
    """The last dimension along the columns, all others one after the other along the rows; a
    vector in rows of VECTOR_COLUMNS. Nothing is copied but what is asked for."""

    array: Array

    @property
    def rows(self) -> int:
        """How many rows there are."""
        shape = self.array.shape
        if len(shape) == 1:
            return int(-(-shape[0] // VECTOR_COLUMNS))
        return math.prod(shape[:-1])

    @property
    def columns(self) -> int:
        """How many columns there are."""
        shape = self.array.shape
        if len(shape) == 1:
            return int(min(VECTOR_COLUMNS, shape[0]))
        return int(shape[-1]) if shape else 1

    def cell(self, index: Index) -> tuple[int, int]:
        """Row and column of an element."""
        if len(index) < 2:
            return divmod(index[0] if index else 0, VECTOR_COLUMNS)
        return int(np.ravel_multi_index(index[:-1], self.array.shape[:-1])), index[-1]

    def index(self, row: int, column: int) -> Index:
        """The element of a row and a column, or the nearest one."""
        row = max(0, min(row, self.rows - 1))
        column = max(0, min(column, self.columns - 1))
        shape = self.array.shape
        if len(shape) == 1:
            return (min(row * VECTOR_COLUMNS + column, shape[0] - 1),)
        if not shape:
            return ()
        return (*map(int, np.unravel_index(row, shape[:-1])), column)

    def window(self, first_row: int, rows: int, first_column: int, columns: int) -> list[Array]:
        """The elements in a window, a vector for each row; the last one of a vector's rows may be
        shorter."""
        found = []
        for row in range(first_row, min(first_row + rows, self.rows)):
            found.append(self._row(row)[first_column : first_column + columns])
        return found

    def spread(self, rows: Array, columns: Array) -> Array:
        """The elements where these rows and columns meet, as a matrix; 0 where there is none."""
        shape = self.array.shape
        if len(shape) == 1:
            places = rows[:, None] * VECTOR_COLUMNS + columns
            there = places < shape[0]
            return np.where(there, self.array[np.where(there, places, 0)].astype(float), 0)
        if not shape:
            return self.array.reshape(1, 1)
        lead = np.unravel_index(rows, shape[:-1])
        return np.asarray(self.array[(*(part[:, None] for part in lead), columns)])

    def _row(self, row: int) -> Array:
        shape = self.array.shape
        if len(shape) == 1:
            return self.array[row * VECTOR_COLUMNS : (row + 1) * VECTOR_COLUMNS]
        if not shape:
            return self.array.reshape(1)
        return np.asarray(self.array[np.unravel_index(row, shape[:-1])])
