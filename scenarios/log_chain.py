"""The chain rule, link by link

g = log(a * b * log c): each node multiplies what comes down by its own slope and hands it on.

Look for
- log_back divides by x, the value that went in: small numbers get large gradients.
- multiply_back0 multiplies by the *other* argument.
- e is (1,) and meets d, which is (3,): what comes back for e is (3,) and has to be summed.
- g has three elements: the pass starts with a 1 for each of them.
"""

from engine import Tensor, log

a = Tensor([1.0, 2.0, 3.0], requires_grad=True)
b = Tensor([2.0, 3.0, 1.0], requires_grad=True)
c = Tensor([10.0], requires_grad=True)
d = a * b
e = log(c)
f = d * e
g = log(f)

loss = g
