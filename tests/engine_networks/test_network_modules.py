"""Modules: state, modes, buffers, containers, reprs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from network_reference import normal

from engine import SGD, Module, Parameter, ShapeError, Tensor, manual_seed, nn


def network(layers: Any) -> Any:
    """The same network of ours and of PyTorch's layers."""
    return layers.Sequential(
        layers.Conv2d(2, 4, 3, stride=2, padding=1, bias=False),
        layers.BatchNorm2d(4),
        layers.ReLU(),
        layers.MaxPool2d(2),
        layers.Dropout(0.25),
        layers.Conv2d(4, 4, (1, 3), padding="same", dilation=2, groups=2),
        layers.Tanh(),
        layers.AvgPool2d(3, stride=1, padding=1),
        layers.AdaptiveAvgPool2d((1, 1)),
        layers.Flatten(),
        layers.LayerNorm(4),
        layers.Sequential(layers.Linear(4, 3), layers.Sigmoid(), layers.Identity()),
        layers.LogSoftmax(dim=1),
        layers.Softmax(dim=1),
    )


def test_reprs_are_pytorchs() -> None:
    torch = pytest.importorskip("torch")
    assert repr(network(nn)) == repr(network(torch.nn))
    for layers in (nn, torch.nn):
        layers.both = [layers.Embedding(5, 2, padding_idx=-1), layers.BatchNorm1d(3, momentum=None)]
        layers.both += [layers.ModuleList([layers.ReLU(), layers.ReLU(), layers.Linear(2, 2)])]
        layers.both += [layers.ModuleList(), layers.MSELoss(), layers.LayerNorm((2, 3))]
    assert [repr(m) for m in nn.both] == [repr(m) for m in torch.nn.both]  # type: ignore[attr-defined]


def test_state_goes_to_pytorch_and_back() -> None:
    torch = pytest.importorskip("torch")
    ours, theirs = network(nn), network(torch.nn)
    assert [(k, v.shape) for k, v in ours.state_dict().items()] == [
        (k, tuple(v.shape)) for k, v in theirs.state_dict().items()
    ]
    x = normal(3, 2, 9, 9).astype(np.float32)
    assert ours.load_state_dict(theirs.state_dict()) == ([], [])
    ours.eval(), theirs.eval()
    np.testing.assert_allclose(
        ours(Tensor(x)).array, theirs(torch.tensor(x)).detach().numpy(), atol=1e-6
    )
    other = network(nn)
    theirs.load_state_dict({k: torch.tensor(v) for k, v in other.state_dict().items()})
    np.testing.assert_allclose(
        other.eval()(Tensor(x)).array, theirs(torch.tensor(x)).detach().numpy(), atol=1e-6
    )


def test_loading_is_in_place_and_the_optimiser_goes_on() -> None:
    model = nn.Linear(2, 1)
    array, optimizer = model.weight.array, SGD(model.parameters(), lr=1.0)
    state = {"weight": np.array([[1.0, 2.0]]), "bias": Tensor([3.0])}
    model.load_state_dict(state)
    assert model.weight.array is array
    assert array.tolist() == [[1, 2]]
    model(Tensor([[1.0, 1.0]])).sum().backward()
    optimizer.step()
    assert array.tolist() == [[0, 1]]
    copied = model.state_dict()
    copied["weight"][:] = 9
    assert array.tolist() == [[0, 1]]


def test_wrong_states_are_named_and_change_nothing() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    before = model.state_dict()
    state = {k: v + 1 for k, v in before.items()}
    del state["0.bias"], state["1.running_var"]
    state["2.weight"] = state["head"] = np.zeros(1)
    with pytest.raises(
        RuntimeError,
        match=r"missing: 0.bias, 1.running_var; not in the module: 2.weight, head",
    ):
        model.load_state_dict(state)
    wrong = {**before, "0.weight": np.zeros((3, 4)), "1.bias": np.zeros(2)}
    with pytest.raises(
        ShapeError, match=r"0.weight has shape \(3, 2\), but \(3, 4\).*1.bias has shape \(3,\)"
    ):
        model.load_state_dict(wrong)
    with pytest.raises(TypeError, match=r"0.bias holds float32, but <U1"):
        model.load_state_dict({**before, "0.bias": np.array(["a", "b", "c"])})
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, before[name])
    result = model.load_state_dict(state, strict=False)
    assert result.missing_keys == ["0.bias", "1.running_var"]
    assert result.unexpected_keys == ["2.weight", "head"]
    np.testing.assert_array_equal(model.state_dict()["0.weight"], before["0.weight"] + 1)


def test_a_loaded_value_that_a_backward_needs_is_noticed() -> None:
    model = nn.Linear(2, 2)
    loss = model(Tensor(normal(3, 2), requires_grad=True)).sum()
    model.load_state_dict(model.state_dict())
    with pytest.raises(RuntimeError, match="load_state_dict"):
        loss.backward()


class Tied(Module):
    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Linear(2, 2)
        self.two = self.one
        self.register_buffer("seen", Tensor([0.0]))
        self.register_buffer("passing", Tensor([0.0]), persistent=False)
        self.register_buffer("nothing", None)


def test_buffers_and_shared_modules() -> None:
    model = Tied()
    assert list(model.state_dict()) == ["seen", "one.weight", "one.bias", "two.weight", "two.bias"]
    assert [name for name, _ in model.named_buffers()] == ["seen", "passing"]
    assert [name for name, _ in model.named_parameters()] == ["one.weight", "one.bias"]
    model.seen = Tensor([1.0])
    assert model.state_dict()["seen"].tolist() == [1]
    model.seen = 3
    assert "seen" not in model.state_dict()
    with pytest.raises(KeyError, match="'one' is taken"):
        model.register_buffer("one", Tensor([0.0]))
    with pytest.raises(TypeError, match="to be a Tensor, not list"):
        model.register_buffer("more", [1.0])  # type: ignore[arg-type]


def test_modes_reach_all_modules() -> None:
    model = network(nn)
    assert model.training
    assert model.eval() is model
    assert not any(module.training for _, module in model.named_modules())
    assert model.train()[11][1].training


def test_gradients_and_functions_over_all_modules() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 1)))
    model(Tensor(normal(1, 2))).sum().backward()
    assert all(p.grad is not None for p in model.parameters())
    model.zero_grad()
    assert all(p.grad is None for p in model.parameters())
    model.requires_grad_(False)
    assert not model(Tensor(normal(1, 2))).requires_grad
    seen: list[str] = []
    model.apply(lambda module: seen.append(type(module).__name__))
    assert seen == ["Linear", "Linear", "Sequential", "Sequential"]
    assert [name for name, _ in model.named_children()] == ["0", "1"]
    assert list(model.children()) == list(model.modules()) == list(model)


def test_containers() -> None:
    first, second, third = nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 3)
    model = nn.Sequential({"first": first, "bend": second}).append(third)
    assert list(model.state_dict())[2:] == ["2.weight", "2.bias"]
    assert model[-1] is third
    assert list(model[1:]) == [second, third]
    model[1] = nn.Tanh()
    assert isinstance(model[1], nn.Tanh)
    listed = nn.ModuleList([first]).append(second).extend([third])
    assert len(listed) == 3
    assert len(list(listed.parameters())) == 4
    assert list(listed[1:].state_dict()) == ["1.weight", "1.bias"]
    with pytest.raises(TypeError, match="ModuleList holds Modules, not int"):
        nn.ModuleList([3])  # type: ignore[list-item]
    with pytest.raises(NotImplementedError, match="ModuleList has no forward"):
        listed(1)


def test_initialisation_depends_on_the_seed_and_the_fan_in() -> None:
    manual_seed(1)
    layer = nn.Conv2d(8, 32, 5, groups=2)
    bound = (4 * 25) ** -0.5
    for parameter in layer.parameters():
        assert isinstance(parameter, Parameter)
        assert bound * 0.8 < np.abs(parameter.array).max() <= bound
    table = nn.Embedding(500, 8, padding_idx=-1).weight.array
    assert table.std() == pytest.approx(1, abs=0.1)
    assert not table[-1].any()
    manual_seed(1)
    np.testing.assert_array_equal(nn.Conv2d(8, 32, 5, groups=2).weight.array, layer.weight.array)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: nn.Conv2d(3, 4, 3, groups=2), "groups=2 has to divide in_channels=3"),
        (lambda: nn.Conv2d(0, 4, 3), "channels count from 1"),
        (lambda: nn.Conv2d(1, 4, 3, stride=2, padding="same"), "needs a stride of 1"),
        (lambda: nn.Conv2d(1, 4, 3, padding="all"), "'valid' or 'same', not 'all'"),
        (lambda: nn.BatchNorm2d(0), "BatchNorm2d: channels count from 1"),
        (lambda: nn.Dropout(2), "p is a probability"),
        (lambda: nn.Embedding(3, 2, padding_idx=3), "padding_idx=3"),
    ],
)
def test_what_modules_refuse(make: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()
