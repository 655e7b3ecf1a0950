"""What was copied must be added up

A row, a column and a number are stretched to (3, 4) to meet a matrix. Going back, each has to get
a gradient of its own shape.

Look for
- row (4,): its gradient comes as (3, 4), and the three rows are added up.
- column (3, 1): here the four columns are added up, and the 1 stays.
- number (): all twelve are added up.
- matrix (3, 4): nothing was copied, nothing is added up.
"""

from engine import Tensor

matrix = Tensor(
    [[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0], [9.0, 10.0, 11.0, 12.0]], requires_grad=True
)
row = Tensor([0.5, 1.0, 1.5, 2.0], requires_grad=True)
column = Tensor([[1.0], [2.0], [3.0]], requires_grad=True)
number = Tensor(0.1, requires_grad=True)

shifted = matrix + row
scaled = shifted * column
result = scaled + number

loss = result.sum()
