"""Softmax minus one-hot

Cross-entropy written out, for two examples and three classes. The right ones are class 2 (which
gets 0.625) and class 1 (which gets 0.125).

Look for
- shares: exp(logits) are [1 2 5] and [6 1 1], each row divided by 8.
- powers waits for two: from shares, and from total, where one number goes to a whole row.
- logits: [0.125 0.25 -0.375] and [0.75 -0.875 0.125] come: shares, less 1 at the right class.
- Each row sums to 0: what the right class gains, the others lose.
"""

from engine import Tensor, exp, log

logits = log(Tensor([[1.0, 2.0, 5.0], [6.0, 1.0, 1.0]])).requires_grad_()
labels = Tensor([2, 1])

powers = exp(logits)
total = powers.sum(dim=1, keepdim=True)
shares = powers / total
right = shares[[0, 1], labels]

log_right = log(right)
loss = -log_right.sum()
