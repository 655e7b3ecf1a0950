"""Where NaN starts is not where it shows

All values are finite, and the loss is 7. And yet w.grad is NaN.

Look for
- where keeps length if it is not 0. Going back it sends [1 0 1]: at [1] nothing, it seems.
- length = sqrt(square): here it starts. At [1] sqrt_back divides 0 by 2 * 0.
- scaled: NaN at [1] only. w is one number for all three: what it adds up is NaN.

The mend goes inside: sqrt(where(square > 0, square, 1.0)).
"""

from engine import Tensor, sqrt, where

w = Tensor(1.0, requires_grad=True)
data = Tensor([3.0, 0.0, 4.0])

scaled = w * data
square = scaled * scaled
length = sqrt(square)
known = square > 0
guarded = where(known, length, 0.0)

loss = guarded.sum()
