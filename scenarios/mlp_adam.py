"""The network of mlp, trained by Adam

The steps are those of mlp. An optimiser only decides what becomes of the gradients: Adam divides
each by a running mean of its size, so that all weights move about equally fast.

Look for
- linear1.weight before and after one batch (t, n, Esc): what had a gradient has moved by 0.001, the
  learning rate, however small that gradient was.
- the rows of it whose gradient is 0: they stay. Which units of relu1 are theirs?
- the loss times 1,000: Adam learns just as well; the SGD of mlp stays at 10 %.
"""

from engine import Adam, Linear, ReLU, Sequential, Training, cross_entropy
from scenarios.data import mnist

train_data, test_data = mnist()
model = Sequential(
    {
        "linear1": Linear(28 * 28, 64),
        "relu1": ReLU(),
        "linear2": Linear(64, 64),
        "relu2": ReLU(),
        "output": Linear(64, 10),
    }
)
optimizer = Adam(model.parameters(), lr=0.001)
training = Training(model, optimizer, train_data, test_data, cross_entropy, batch_size=64, epochs=5)
