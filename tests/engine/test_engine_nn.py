"""Parameter, Module, Linear, ReLU, Sequential."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from engine_reference import bits, grad_of, leaf, replaced

import engine
from engine import (
    Linear,
    Module,
    Parameter,
    ReLU,
    Sequential,
    ShapeError,
    Tensor,
    cross_entropy,
    manual_seed,
    record_origins,
    relu,
)


class Block(Module):
    """A module with parameters of its own and below it."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = Linear(2, 3)
        self.scale = Parameter(Tensor([2.0]))
        self.act = ReLU()
        self.count = 7

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.inner(x)) * self.scale


class Mlp(Module):
    """The checklist's: 784-64-64-10."""

    def __init__(self) -> None:
        super().__init__()
        self.linear1 = Linear(784, 64)
        self.linear2 = Linear(64, 64)
        self.relu = ReLU()
        self.linear3 = Linear(64, 10, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.linear1(x.reshape(-1, 784)))
        return self.linear3(self.relu(self.linear2(x)))


def test_a_parameter_shares_its_tensors_array() -> None:
    tensor = Tensor([1.0, 2.0])
    parameter = Parameter(tensor)
    assert parameter.array is tensor.array
    assert parameter.requires_grad
    assert parameter.is_leaf
    assert isinstance(parameter, Tensor)
    assert repr(parameter) == (
        "Parameter containing:\nTensor(array([1., 2.], dtype=float32), requires_grad=True)"
    )
    assert not Parameter(tensor, requires_grad=False).requires_grad
    assert Parameter(Tensor([1.0], dtype=np.float64)).dtype == np.float64
    with pytest.raises(TypeError, match=r"takes a Tensor, not ndarray: Parameter\(Tensor"):
        Parameter(np.ones(2))  # type: ignore[arg-type]
    assert Parameter(leaf([1.0]) * 2).is_leaf


def test_attributes_are_registered() -> None:
    block = Block()
    assert list(block._modules) == ["inner", "act"]
    assert list(block._parameters) == ["scale"]
    assert block.inner is block._modules["inner"]
    assert block.count == 7
    assert list(block.modules()) == [block.inner, block.act]
    assert [name for name, _ in block.named_parameters()] == [
        "scale",
        "inner.weight",
        "inner.bias",
    ]
    assert [id(p) for p in block.parameters()] == [
        id(block.scale),
        id(block.inner.weight),
        id(block.inner.bias),
    ]
    assert list(block.parameters(recurse=False)) == [block.scale]
    with pytest.raises(AttributeError, match=r"Block.*has no attribute 'missing'"):
        _ = block.missing


def test_an_attribute_changes_its_kind() -> None:
    block = Block()
    old = block.inner
    block.inner = None
    assert block.inner is None
    assert list(block._modules) == ["act"]
    block.inner = Parameter(Tensor([1.0]))
    assert list(block._parameters) == ["scale", "inner"]
    block.inner = old
    assert list(block._parameters) == ["scale"]
    assert block.inner is old
    del block.scale
    assert not hasattr(block, "scale")
    assert list(block.parameters()) == [old.weight, old.bias]


def test_super_init_comes_first() -> None:
    class Early(Module):
        def __init__(self) -> None:
            self.layer = Linear(1, 1)
            super().__init__()

    with pytest.raises(AttributeError, match=r"Early: call super\(\).__init__\(\) before.*layer"):
        Early()
    with pytest.raises(NotImplementedError, match="Module has no forward"):
        Module()(1)


def test_shared_modules_and_parameters_count_once() -> None:
    shared = Linear(2, 2)
    model = Sequential(shared, ReLU(), shared)
    assert [name for name, _ in model.named_parameters()] == ["0.weight", "0.bias"]
    assert len(model) == 3
    assert [name for name, _ in model.named_modules()] == ["", "0", "1"]
    tied = Linear(2, 2)
    tied.weight = shared.weight
    assert [name for name, _ in Sequential(shared, tied).named_parameters()] == [
        *("0.weight", "0.bias", "1.bias"),
    ]
    x = Tensor([[1.0, -2.0]])
    model(x).sum().backward()
    once = Sequential(copy.deepcopy(shared), ReLU(), second := copy.deepcopy(shared))
    for parameter in once.parameters():
        parameter.grad = None
    once(x).sum().backward()
    np.testing.assert_allclose(
        grad_of(shared.weight), grad_of(once[0].weight) + grad_of(second.weight), rtol=1e-5
    )


def test_nested_repr() -> None:
    assert repr(Mlp()) == (
        "Mlp(\n"
        "  (linear1): Linear(in_features=784, out_features=64, bias=True)\n"
        "  (linear2): Linear(in_features=64, out_features=64, bias=True)\n"
        "  (relu): ReLU()\n"
        "  (linear3): Linear(in_features=64, out_features=10, bias=False)\n"
        ")"
    )
    assert repr(Sequential(Sequential(ReLU()), ReLU())) == (
        "Sequential(\n  (0): Sequential(\n    (0): ReLU()\n  )\n  (1): ReLU()\n)"
    )


def test_linear() -> None:
    manual_seed(0)
    layer = Linear(100, 50)
    assert (layer.weight.shape, layer.bias.shape) == ((50, 100), (50,))
    assert layer.weight.dtype == np.float32
    for parameter in layer.parameters():
        assert isinstance(parameter, Parameter)
        assert np.abs(parameter.array).max() <= 0.1
    assert layer.weight.array.std() == pytest.approx(0.2 / 12**0.5, rel=0.05)
    assert abs(layer.weight.array.mean()) < 0.005
    manual_seed(0)
    assert bits(Linear(100, 50).weight) == bits(layer.weight)
    manual_seed(1)
    assert bits(Linear(100, 50).weight) != bits(layer.weight)
    without = Linear(3, 2, bias=False)
    assert without.bias is None
    assert list(without._parameters) == ["weight"]
    for wrong in ((0, 1), (1, 0)):
        with pytest.raises(ValueError, match="features count from 1"):
            Linear(*wrong)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(3,), (4, 3), (2, 4, 3), (0, 3)])
def test_linear_is_the_product_with_the_transposed_weight(
    shape: tuple[int, ...], bias: bool
) -> None:
    """Fused or in parts, the value and the gradients are those of the formula."""
    for dtype in (np.float32, np.float64):
        for recorded in (False, True):
            layer = Linear(3, 2, bias=bias)
            x = leaf(np.random.default_rng(0).normal(size=shape), dtype)
            weight, wx = layer.weight.array.astype(np.float64), x.array.astype(np.float64)
            with record_origins(recorded):
                out = layer(x)
            expected = wx @ weight.T + (layer.bias.array if bias else 0)
            assert out.dtype == dtype
            np.testing.assert_allclose(out.array, expected, rtol=1e-5, atol=1e-6)
            seed = np.random.default_rng(1).normal(size=out.shape)
            out.backward(seed)
            rows, seeds = wx.reshape(-1, 3), seed.reshape(-1, 2)
            for tensor, wanted in (
                (x, seed @ weight),
                (layer.weight, seeds.T @ rows),
                *([(layer.bias, seeds.sum(axis=0))] if bias else []),
            ):
                np.testing.assert_allclose(grad_of(tensor), wanted, rtol=1e-4, atol=1e-5)
                assert grad_of(tensor).shape == tensor.shape


def test_linear_refuses_inputs_of_another_length() -> None:
    layer = Linear(3, 2)
    for shape in ((4, 2), (2,), (2, 4, 5)):
        inputs = Tensor(np.ones(shape))
        with pytest.raises(ShapeError, match=r"(matmul|linear).*inputs"):
            layer(inputs)


def test_relu_module_and_sequential() -> None:
    x = leaf([[-1.0, 0.0, 2.0]])
    assert ReLU()(x).tolist() == relu(x).tolist() == [[0, 0, 2]]
    first, second = Linear(3, 2), Linear(2, 1)
    model = Sequential(first, ReLU(), second)
    np.testing.assert_array_equal(model(x).array, second(relu(first(x))).array)
    assert model[0] is first
    assert model[-1] is second
    assert list(model)[2] is second
    assert Sequential()(x) is x


def test_sequential_does_not_drop_a_function() -> None:
    """It is called in its place, or refused."""
    layer = Linear(2, 2)
    x = Tensor([[1.0, -1.0]])
    try:
        model = Sequential(layer, relu)  # type: ignore[arg-type]
    except TypeError as error:
        refused = str(error)
    else:
        refused = ""
        assert bits(model(x)) == bits(relu(layer(x)))
    assert not refused or "Module" in refused


def test_every_parameter_of_the_mlp_gets_a_gradient() -> None:
    model = Mlp()
    images = Tensor(np.random.default_rng(0).normal(size=(2, 28, 28)))
    logits = model(images)
    assert logits.shape == (2, 10)
    cross_entropy(logits, [3, 4]).backward()
    for parameter in model.parameters():
        assert np.abs(grad_of(parameter)).max() > 0


# Fused operations


def parts_of_a_network() -> list[tuple[Any, int]]:
    return [
        *((engine.permute, 0), (engine.matmul, 0), (engine.matmul, 1), (engine.add, 0)),
        *((engine.add, 1), (engine.subtract, 0), (engine.exp, 0), (engine.sum, 0)),
        *((engine.log, 0), (engine.getitem, 0), (engine.true_divide, 0), (engine.maximum, 0)),
    ]


@pytest.mark.parametrize(
    ("function", "position"),
    parts_of_a_network(),
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_a_backward_function_of_ones_own_is_called_where_the_engine_would_fuse(
    function: Any, position: int
) -> None:
    calls = []
    original = getattr(engine, f"{function.__name__}_back{position}", None) or getattr(
        engine, f"{function.__name__}_back"
    )

    def spy(grad_out: Any, *args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        return original(grad_out, *args, **kwargs)

    model = Sequential(Linear(3, 4), ReLU(), Linear(4, 2))
    x = Tensor(np.random.default_rng(0).normal(size=(5, 3)))
    try:
        engine.BACK_FUNCS.add_back_func(function, position, spy)
        cross_entropy(model(x), [0, 1, 0, 1, 0]).backward()
    finally:
        engine.BACK_FUNCS.add_back_func(function, position, original)
    assert calls


def test_fusing_changes_no_result() -> None:
    manual_seed(0)
    model = Sequential(Linear(5, 4), ReLU(), Linear(4, 3, bias=False))
    x, labels = np.random.default_rng(0).normal(size=(6, 5)), [0, 1, 2, 0, 1, 2]
    results = []
    for reduction in ("mean", "sum", "none"):
        for recorded in (False, True):
            inputs = leaf(x)
            for parameter in model.parameters():
                parameter.grad = None
            with record_origins(recorded):
                losses = cross_entropy(model(inputs), labels, reduction=reduction)
            losses.backward(np.random.default_rng(1).normal(size=losses.shape))
            results.append(
                [losses.array, grad_of(inputs), *(grad_of(p) for p in model.parameters())]
            )
        for fused, parts in zip(*results[-2:], strict=True):
            assert (fused.shape, fused.dtype) == (parts.shape, parts.dtype)
            np.testing.assert_allclose(fused, parts, rtol=1e-4, atol=1e-6)


def test_the_registry_forgets_a_replacement_that_was_put_back() -> None:
    """Or the engine would never fuse again, and --check would suspect its own function."""
    with replaced(np.matmul, 0, lambda *args: None):
        assert engine.BACK_FUNCS.replaced(np.matmul, 0) is engine.matmul_back0
    assert engine.BACK_FUNCS.replaced(np.matmul, 0) is None
