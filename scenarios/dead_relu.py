"""A unit that learns nothing any more

Three ReLU units see two examples. Unit 0 is on for both, unit 2 for one; unit 1 is off for both:
it is dead.

Look for
- before: its column 1 is [-4 -7]. relu makes it 0, and lets no gradient through.
- W.grad and b.grad: 0 in column 1, so that no step changes them. Nothing wakes the unit as long as
  the data stay.
- v.grad is [7 0 2]: nor does anyone listen to it.

b[1] = -5 did it: one step that was too long.
"""

from engine import Tensor, relu

x = Tensor([[1.0, 2.0], [3.0, 1.0]])
W = Tensor([[1.0, -1.0, 1.0], [1.0, 1.0, -1.0]], requires_grad=True)
b = Tensor([0.0, -5.0, 0.0], requires_grad=True)
v = Tensor([[1.0], [2.0], [3.0]], requires_grad=True)

before = x @ W + b
hidden = relu(before)
out = hidden @ v

loss = out.sum()
