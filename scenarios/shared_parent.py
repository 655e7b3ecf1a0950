"""One tensor, used again and again

x goes into four places, once even as both arguments of one product. Its gradient is the sum of
what comes back from all of them.

Look for
- x * x is one node with two edges to x: each brings x, together 2x.
- x waits for five contributions; its own step is the last one.
- Whoever steps x before all five have come gets a wrong gradient: that is why the order is
  topological, and not breadth first.
"""

from engine import Tensor, exp

x = Tensor([0.5, 1.0, -1.0], requires_grad=True)
w = Tensor([2.0, -1.0, 0.5], requires_grad=True)

square = x * x
line = w * x
curve = exp(x)
total = square + line + curve - x

loss = total.sum()
