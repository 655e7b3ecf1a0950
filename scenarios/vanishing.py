"""A gradient that fades away

Ten sigmoids between two weights. The slope of a sigmoid is out * (1 - out), at most 1/4, and the
chain rule multiplies all ten.

Look for
- h1 = 0.5: the steepest place there is, and still 0.25.
- The column of gradients: each is at most a quarter of the one
  above.
- last.grad is 0.659, first.grad 3.875e-7: last learns, first stands still.

Try h2 = h1 + sigmoid(h1), and so on: with a way around, the gradient stays.
"""

from engine import Tensor, sigmoid

first = Tensor(0.0, requires_grad=True)
last = Tensor(1.0, requires_grad=True)

h1 = sigmoid(first)
h2 = sigmoid(h1)
h3 = sigmoid(h2)
h4 = sigmoid(h3)
h5 = sigmoid(h4)
h6 = sigmoid(h5)
h7 = sigmoid(h6)
h8 = sigmoid(h7)
h9 = sigmoid(h8)
h10 = sigmoid(h9)
out = last * h10

loss = out
