"""One tensor used twice

L depends on b along two ways: through d = a * b and through e = b + c.

Look for
- b waits: after the step of e it has only one of its two contributions, so its own step comes
  after that of d.
- At d the second contribution arrives, and it is added: 1 + 6 = 7.
- a, b and c are leaves that require grad: there the gradient stays, as .grad.
"""

from engine import Tensor

a = Tensor(6.0, requires_grad=True)
b = Tensor(2.0, requires_grad=True)
c = Tensor(3.0, requires_grad=True)
d = a * b
e = b + c
L = d + e

loss = L
