"""Only one order of the shapes fits

scores = X @ W @ v. A gradient has the shape of its tensor, so the shapes alone tell how a product
goes backwards.

Look for
- to v (2,1): only hidden.T (2,4) @ grad_out (4,1) fits. The 4 rows are summed: [52 56].
- to X (4,3): grad_out (4,2) @ W.T (2,3), each row [2 -1 1].
- to W (3,2): X.T (3,4) @ grad_out (4,2).
- W.grad at [0, 0]: column 0 of X times the 2s of grad_out: (1 + 4 + 7 + 10) * 2 = 44.
"""

from engine import Tensor

X = Tensor(
    [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0], [10.0, 11.0, 12.0]], requires_grad=True
)
W = Tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], requires_grad=True)
v = Tensor([[2.0], [-1.0]], requires_grad=True)

hidden = X @ W
scores = hidden @ v

loss = scores.sum()
