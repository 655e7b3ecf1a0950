"""One batch of MNIST, backwards

Node 0 is the mean loss of a batch of images. Each step hands one node's gradient down to what
that node was made from. The weights and biases are the leaves: there it stays, as .grad.

Look for
- linear1.bias: a gradient of (64, 64) comes down, and one of (64,) arrives. Who adds up the rows?
- relu1 and relu2: how much of the gradient comes through?
- the loss at the start: blind guessing among 10 digits gives ln 10 = 2.303.
"""

from engine import SGD, Linear, Module, ReLU, Tensor, Training, cross_entropy
from scenarios.data import mnist


class MLP(Module):
    """784 pixels, two hidden layers of 64 units, 10 digits."""

    def __init__(self) -> None:
        super().__init__()
        self.linear1 = Linear(28 * 28, 64)
        self.relu1 = ReLU()
        self.linear2 = Linear(64, 64)
        self.relu2 = ReLU()
        self.output = Linear(64, 10)

    def forward(self, images: Tensor) -> Tensor:
        hidden = self.relu1(self.linear1(images))
        hidden = self.relu2(self.linear2(hidden))
        return self.output(hidden)


def mean_loss(logits: Tensor, labels: Tensor) -> Tensor:
    return cross_entropy(logits, labels, reduction="none").sum() / len(labels)


train_data, test_data = mnist()
model = MLP()
optimizer = SGD(model.parameters(), lr=0.05)
training = Training(model, optimizer, train_data, test_data, mean_loss, batch_size=64, epochs=5)
