"""A convolutional network, backwards

Kernels slide over the images of a batch, and after each ReLU the pooling keeps the largest of four
pixels; a linear layer at the end tells the digits. One kernel is used at every place.

Look for
- pool1 and pool2: three of four pixels get no gradient. Which one gets it?
- conv1.weight: 25 numbers a kernel, each used at 24 * 24 places of 32 images. How many terms does
  its gradient add up?
- conv2 hands on three gradients, conv1 two: images are not trained.
"""

from engine import (
    SGD,
    Conv2d,
    Flatten,
    Linear,
    MaxPool2d,
    Module,
    ReLU,
    Tensor,
    Training,
    cross_entropy,
)
from scenarios.data import mnist


class CNN(Module):
    """An image of 28x28, 8 maps of 12x12, 16 maps of 4x4, 10 digits."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = Conv2d(1, 8, kernel_size=5)
        self.relu1 = ReLU()
        self.pool1 = MaxPool2d(2)
        self.conv2 = Conv2d(8, 16, kernel_size=5)
        self.relu2 = ReLU()
        self.pool2 = MaxPool2d(2)
        self.flatten = Flatten()
        self.output = Linear(16 * 4 * 4, 10)

    def forward(self, images: Tensor) -> Tensor:
        maps = self.pool1(self.relu1(self.conv1(images)))
        maps = self.pool2(self.relu2(self.conv2(maps)))
        return self.output(self.flatten(maps))


train_data, test_data = ((images.reshape(-1, 1, 28, 28), labels) for images, labels in mnist())
model = CNN()
optimizer = SGD(model.parameters(), lr=0.02, momentum=0.9)
training = Training(model, optimizer, train_data, test_data, cross_entropy, batch_size=32, epochs=5)
