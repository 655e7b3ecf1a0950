"""A gradient that grows and grows

The same matrix W ten times, as a recurrent network uses it in ten moments. It stretches [1 1] to
[3 3], on the way up and on the way down.

Look for
- The column of gradients: each norm is three times the one above, from 1.414 to 27836.
- s1 gets [19683 19683]: 3 to the power of 9.
- W waits for ten contributions. With a step of 0.01 * W.grad it would be lost.

What helps: clip_grad_norm_, or weights that stretch less.
"""

from engine import Tensor

x = Tensor([[1.0, 0.0]])
W = Tensor([[1.0, 2.0], [2.0, 1.0]], requires_grad=True)

s1 = x @ W
s2 = s1 @ W
s3 = s2 @ W
s4 = s3 @ W
s5 = s4 @ W
s6 = s5 @ W
s7 = s6 @ W
s8 = s7 @ W
s9 = s8 @ W
s10 = s9 @ W

loss = s10.sum()
