"""The slope where there is none

ReLU has a kink at 0: left of it the slope is 0, right of it 1. At 0 itself any number between is
allowed. Three ways to write it give the same values, and at 0 three gradients.

Look for
- All three make [0 0 3] of [-2 0 3].
- whole (x >= 0) hands on [0 1 1].
- none (x > 0) hands on [0 0 1], as PyTorch's relu does.
- half, this engine's relu, hands on [0 0.5 1], between the two, as central differences say.
"""

from engine import Tensor, relu, where

x = Tensor([-2.0, 0.0, 3.0], requires_grad=True)

half = relu(x)
above = x > 0
none = where(above, x, 0.0)
not_below = x >= 0
whole = where(not_below, x, 0.0)

both = half + none
three = both + whole
loss = three.sum()
