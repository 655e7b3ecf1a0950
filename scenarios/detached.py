"""A grad that is None, and why

Three weights made this loss, and only one gets a gradient. No error, no warning: the two others
just never learn.

Look for
- w3 is all right: w3.grad becomes 12.
- kept = hidden.detach() has the values of hidden and no history, so it needs no grad. Behind it is
  w1: w1.grad stays None.
- scale was made under no_grad(): the same for w2.
- w1 and w2 are not even in the list: from the loss no way leads to them.
"""

from engine import Tensor, no_grad

x = Tensor(2.0)
w1 = Tensor(3.0, requires_grad=True)
w2 = Tensor(2.0, requires_grad=True)
w3 = Tensor(5.0, requires_grad=True)

hidden = w1 * x
kept = hidden.detach()
with no_grad():
    scale = w2 * x

product = w3 * kept
out = product + scale
error = out - 33
loss = error * error
