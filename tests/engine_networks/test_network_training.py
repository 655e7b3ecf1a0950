"""Whole networks: a residual block, a module used twice, a small network on MNIST."""

from __future__ import annotations

import numpy as np
import pytest
from network_reference import normal

from engine import Module, Tensor, cross_entropy, manual_seed, nn, no_grad, optim
from engine.batches import DataLoader
from engine.functions.pooling import adaptive_avg_pool2d
from scenarios.data import embedded
from scenarios.data.digits import normalised


class Residual(Module):
    """conv, norm, relu, conv, norm, added to the (strided) input, relu."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        inner = self.relu(self.norm1(self.conv1(x)))
        out: Tensor = self.relu(self.norm2(self.conv2(inner)) + self.shortcut(x))
        return out


def test_a_residual_network_trains() -> None:
    manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        Residual(4, 8, stride=2),
        Residual(8, 8, stride=1),
        nn.AdaptiveAvgPool2d((1, 1)),
        nn.Flatten(),
        nn.Linear(8, 2),
    )
    labels = np.arange(32) % 2
    rows = np.random.default_rng(1).standard_normal((32, 1, 9, 9)).astype(np.float32)
    rows += np.where(labels[:, None, None, None], np.eye(9), np.eye(9)[::-1]).astype("f")
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    losses = []
    for _ in range(25):
        optimizer.zero_grad()
        loss = cross_entropy(model(Tensor(rows)), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.1 < 0.5 < losses[0]
    model.eval()
    with no_grad():
        assert (model(Tensor(rows)).array.argmax(axis=1) == labels).mean() > 0.9


def test_a_residual_block_as_pytorch() -> None:
    torch = pytest.importorskip("torch")

    class Theirs(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.conv1 = torch.nn.Conv2d(2, 4, 3, 2, padding=1, bias=False)
            self.norm1 = torch.nn.BatchNorm2d(4)
            self.conv2 = torch.nn.Conv2d(4, 4, 3, padding=1, bias=False)
            self.norm2 = torch.nn.BatchNorm2d(4)
            self.shortcut = torch.nn.Conv2d(2, 4, 1, 2)
            self.relu = torch.nn.ReLU()

        forward = Residual.forward

    ours, theirs = Residual(2, 4, 2), Theirs()
    theirs.load_state_dict({k: torch.tensor(v) for k, v in ours.state_dict().items()})
    x = normal(3, 2, 7, 7).astype(np.float32)
    a, b = Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    adaptive_avg_pool2d(ours(a), 1).sum().backward()
    torch.nn.functional.adaptive_avg_pool2d(theirs(b), 1).sum().backward()
    assert a.grad is not None
    np.testing.assert_allclose(a.grad.array, b.grad.numpy(), atol=1e-5)
    expected = dict(theirs.named_parameters())
    for name, parameter in ours.named_parameters():
        assert parameter.grad is not None
        np.testing.assert_allclose(
            parameter.grad.array, expected[name].grad.numpy(), rtol=1e-4, atol=1e-5
        )


def test_a_module_used_twice_sums_its_gradients() -> None:
    conv, x = nn.Conv2d(2, 2, 3, padding=1), Tensor(normal(2, 2, 5, 5))
    conv(conv(x)).sum().backward()
    twice = [p.grad.array.copy() for p in conv.parameters() if p.grad is not None]
    once = []
    for which in range(2):
        copies = [nn.Conv2d(2, 2, 3, padding=1) for _ in range(2)]
        for copy in copies:
            copy.load_state_dict(conv.state_dict())
        copies[1](copies[0](x)).sum().backward()
        once.append([p.grad.array for p in copies[which].parameters() if p.grad is not None])
    for total, first, second in zip(twice, *once, strict=True):
        np.testing.assert_allclose(total, first + second, rtol=1e-4, atol=1e-4)


def test_a_small_network_reads_mnist() -> None:
    manual_seed(0)
    (images, labels), (test_images, test_labels) = normalised(embedded.read())
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 10),
    )
    optimizer = optim.Adam(model.parameters(), lr=3e-3)
    loader = DataLoader(images.reshape(-1, 1, 28, 28), labels, batch_size=32, shuffle=True)
    for _ in range(2):
        for batch, wanted in loader:
            optimizer.zero_grad()
            cross_entropy(model(batch), wanted).backward()
            optimizer.step()
    with no_grad():
        outputs = model.eval()(Tensor(test_images.reshape(-1, 1, 28, 28)))
    assert (outputs.array.argmax(axis=1) == test_labels).mean() > 0.9
