"""A chain of N nodes

h is doubled and halved in turn, N times. N is 100; for a longer chain:

N=100000 bp-tui deep

Look for
- A node that halves hands on half of what it gets, one that doubles hands on twice as much: the
  column of gradients goes 1, 0.5, 1, 0.5 ...
- start.grad is 1 for every even N, to the last digit.
- The pass is a loop, not a recursion: no chain is too deep for it.

End, then Enter takes all the steps; Home, then Enter takes all but one back.
"""

import os

from engine import Tensor

N = int(os.environ.get("N", "100"))

start = Tensor(1.0, requires_grad=True)

h = start
for i in range(N):
    h = h * 2 if i % 2 == 0 else h / 2

loss = h
