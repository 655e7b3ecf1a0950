"""Many ways down, one sum

Two diamonds, one above the other: four ways lead from L down to x. The gradient is the sum over
all of them: 4*2 + 4*3 + 5*2 + 5*3 = 45.

Look for
- y gets 4 from left and 5 from right. It waits for both: 4 + 5 = 9.
- Only then its step: it sends 9 down each side, and x gets 18 + 27 = 45.
- Four ways, and yet each node has one step. Ten diamonds would be 1,024 ways, and still only 10
  additions.
"""

from engine import Tensor

x = Tensor(1.0, requires_grad=True)
a = 2 * x
b = 3 * x
y = a + b

left = 4 * y
right = 5 * y
L = left + right

loss = L
