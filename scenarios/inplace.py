"""Changed before it was used again

w2 was changed in place between the forward and the backward pass, as by a training step that came
too early. out = 30 was made with w2 = 5; now w2 is 4.

Look for
- Going back through out needs the w2 of then: hidden is to get 4 * 5 = 20. With the w2 of
  now it would get 16, and nobody would notice.
- So the step of out is refused, and the message names the line that changed w2.
- w1.grad and w2.grad stay None.

The mend: first backward, then the change.
"""

from engine import Tensor, no_grad

x = Tensor(2.0)
w1 = Tensor(3.0, requires_grad=True)
w2 = Tensor(5.0, requires_grad=True)

hidden = w1 * x
out = w2 * hidden
error = out - 28
loss = error * error

with no_grad():
    w2 -= 1
