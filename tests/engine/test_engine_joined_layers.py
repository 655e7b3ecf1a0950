"""The layers of a Sequential, computed as one where nobody looks."""

from __future__ import annotations

import copy
import pickle
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from fusion_support import VALUES, layers, run, without_ties
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import engine
from engine import (
    BackwardPass,
    Linear,
    Parameter,
    ReLU,
    Sequential,
    Tensor,
    record_origins,
)


@given(
    data=st.data(),
    batch=st.integers(0, 5),
    sizes=st.lists(st.integers(1, 4), min_size=2, max_size=5),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_layers_after_each_other(
    data: st.DataObject, batch: int, sizes: list[int], dtype: str
) -> None:
    bends = data.draw(st.lists(st.booleans(), min_size=4, max_size=4), label="bends")
    network = layers(sizes, bends, dtype)
    x = data.draw(arrays.arrays(dtype, (batch, sizes[0]), elements=VALUES))
    grad = data.draw(arrays.arrays(dtype, (batch, sizes[-1]), elements=VALUES))
    for parameter in network.parameters():
        parameter.array[...] = data.draw(
            arrays.arrays(dtype, parameter.shape, elements=VALUES), label="parameter"
        )
        parameter.requires_grad = data.draw(st.booleans(), label="requires_grad")
    with np.errstate(all="ignore"):
        fused, fused_grads = run(network, x, grad, watched=False)
        parts, parts_grads = run(network, x, grad, watched=True)
    np.testing.assert_allclose(fused.array, parts.array, rtol=1e-5, atol=1e-6)
    for one, other in zip(fused_grads, parts_grads, strict=True):
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            assert one.dtype == other.dtype
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


@given(
    data=st.data(),
    # With columns or rows of one element BLAS leaves products with 0 out, now and then.
    sizes=st.lists(st.integers(2, 4), min_size=2, max_size=4),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_what_is_not_finite_goes_the_same_way(
    data: st.DataObject, sizes: list[int], dtype: str
) -> None:
    bends = data.draw(st.lists(st.booleans(), min_size=3, max_size=3), label="bends")
    network = layers(sizes, bends, dtype)
    chance = np.random.default_rng(data.draw(st.integers(0, 99), label="seed"))
    x, grad = (chance.standard_normal((3, size)).astype(dtype) for size in (sizes[0], sizes[-1]))
    parameters = [parameter.array for parameter in network.parameters()]
    for array in parameters:
        array[...] = chance.standard_normal(array.shape)
    for array in data.draw(st.lists(st.sampled_from([x, grad, *parameters]), max_size=2)):
        place = data.draw(st.integers(0, array.size - 1), label="place")
        array[np.unravel_index(place, array.shape)] = data.draw(
            st.sampled_from([np.nan, np.inf, -np.inf]), label="strange"
        )
    with np.errstate(all="ignore"):
        fused, fused_grads = run(network, x, grad, watched=False)
        parts, parts_grads = run(network, x, grad, watched=True)
    np.testing.assert_allclose(fused.array, parts.array, rtol=1e-5, atol=1e-6)
    for one, other in zip(fused_grads, parts_grads, strict=True):
        assert one is not None
        assert other is not None
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


def test_layers_are_one_node_until_somebody_looks() -> None:
    network, x = without_ties()
    out = network(x)
    assert len(out._inputs) == 7
    assert out.op == "linear"
    assert len(out._inputs) == 3
    found, node = [], out
    while node.op is not None:
        found.append(node.op)
        assert node.recipe is not None
        np.testing.assert_array_equal(
            node.recipe.func(*node.recipe.args, **node.recipe.kwargs), node.array
        )
        node = node.recipe.parents[0]
    assert found == ["linear", "linear_relu", "linear_relu"]
    assert node is x


def backward_itself(out: Tensor) -> None:
    out.backward()


def backward_after_a_look(out: Tensor) -> None:
    assert out.parents()
    out.backward()


def backward_in_steps(out: Tensor) -> None:
    assert [step.node.op for step in engine.backward_steps(out) if step.node.op] == [
        "sum",
        "linear",
        "linear_relu",
        "linear_relu",
    ]


def backward_with_a_change(out: Tensor) -> None:
    Tensor([1.0]).add_(1)  # of something that nobody needs
    out.backward()


def test_the_gradients_are_the_same_to_the_bit_whoever_looks() -> None:
    network, x = without_ties()
    found: list[list[bytes]] = []
    for way in (
        backward_itself,
        backward_after_a_look,
        backward_in_steps,
        backward_with_a_change,
    ):
        network.zero_grad()
        way(network(x).sum())
        grads = [parameter.grad for parameter in network.parameters()]
        found.append([grad.array.tobytes() for grad in grads if grad is not None])
    assert len(found[0]) == 6
    assert all(grads == found[0] for grads in found)


def test_a_hook_on_the_result_and_a_graph_that_goes_on_both_ways() -> None:
    network, x = without_ties()
    seen: list[Tensor] = []
    out = network(x)
    out.register_hook(seen.append)
    (out * out + out).sum().backward()
    np.testing.assert_allclose(seen[0].array, 2 * out.array + 1, rtol=1e-5)
    first = network[0].weight.grad
    network.zero_grad()
    with record_origins():
        out = network(x)
    (out * out + out).sum().backward()
    np.testing.assert_allclose(first.array, network[0].weight.grad.array, rtol=1e-4, atol=1e-5)


Hooked = list[tuple[str, bool]]
"""Whose hook was called, and whether the last layer's weight had its gradient then."""


def hooked_at(place: str, of_recorded: bool, run: Callable[[Tensor], None]) -> Hooked:
    """What hooks at one or all of the parameters and the input see of a pass."""
    network, x = without_ties()
    x.requires_grad = True
    seen: Hooked = []
    named = [("x", x), *network.named_parameters()]
    for name, tensor in named:
        if place in (name, "all"):

            def hook(grad: Tensor, name: str = name) -> None:
                seen.append((name, network[4].weight.grad is not None))

            tensor.register_hook(hook)
    with record_origins(of_recorded):
        out = (network(x) * 1.0).sum()
    run(out)
    assert all(tensor.grad is not None for _, tensor in named)
    return seen


@pytest.mark.parametrize("place", ["x", "0.weight", "2.bias", "4.weight", "all"])
def test_hooks_on_what_layers_are_made_from(place: str) -> None:
    straight = hooked_at(place, False, backward_itself)
    assert len(straight) == (7 if place == "all" else 1)
    assert straight == hooked_at(place, False, lambda out: BackwardPass(out).run())


def test_parameters_that_keep_their_gradients_or_are_computed() -> None:
    network, x = without_ties()
    for parameter in network.parameters():
        parameter.retain_grad()
    network(x).sum().backward()
    expected = [parameter.grad for parameter in network.parameters()]
    assert all(grad is not None for grad in expected)
    network.zero_grad()
    weights = [network[0].weight, network[2].weight]
    factor = Tensor(1.0, requires_grad=True)
    network[0].weight, network[2].weight = (weight * factor for weight in weights)
    network(x).sum().backward()
    assert factor.grad is not None
    for weight, before in zip(weights, (expected[0], expected[2]), strict=True):
        assert weight.grad is not None
        np.testing.assert_allclose(weight.grad.array, before.array, rtol=1e-5)


def test_hooks_that_were_removed_are_no_hooks() -> None:
    network, x = without_ties()
    x.requires_grad = True
    network(x).sum().backward()
    expected = [tensor.grad for tensor in (x, *network.parameters())]
    for tensor in (x, *network.parameters()):
        tensor.grad = None
        tensor.register_hook(lambda grad: grad * 2).remove()
    network(x).sum().backward()
    for tensor, before in zip((x, *network.parameters()), expected, strict=True):
        assert tensor.grad is not None
        assert before is not None
        np.testing.assert_array_equal(tensor.grad.array, before.array)


def test_frozen_between_the_two_ways() -> None:
    network, x = without_ties()
    out = network(x).sum()
    network.requires_grad_(False)
    out.backward()
    assert all(parameter.grad is None for parameter in network.parameters())
    out = network(x).sum()
    assert not out.requires_grad


def test_thawed_between_the_two_ways() -> None:
    network, x = without_ties()
    network[0].requires_grad_(False)
    out = network(x).sum()
    network[0].requires_grad_(True)
    out.backward()
    assert [parameter.grad is None for parameter in network.parameters()] == [True] * 2 + [
        False
    ] * 4


def held(network: Sequential, x: Tensor) -> int:
    """The bytes that a result keeps besides itself."""
    tracemalloc.start()
    out = network(x)
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return kept - out.array.nbytes


def test_of_layers_without_a_gradient_nothing_is_kept() -> None:
    sizes = [100] * 7
    network = layers(sizes, [True] * 6)
    x = Tensor(np.random.default_rng(3).standard_normal((1000, 100)).astype(np.float32))
    for module in list(network)[:-2]:
        module.requires_grad_(False)
    one = x.array.nbytes
    network(x)  # zeros to compare with are kept for the next time
    assert held(network, x) < 1.5 * one
    with engine.no_grad():
        assert held(network, x) < 0.5 * one


def test_a_layer_that_comes_again_and_again_to_the_bit() -> None:
    layer = Linear(32, 32)
    network = Sequential(layer, ReLU(), layer, ReLU(), layer)
    x = Tensor(np.random.default_rng(4).standard_normal((16, 32)).astype(np.float32))
    network(x).sum().backward()
    assert layer.weight.grad is not None
    once = layer.weight.grad.array.copy()
    network.zero_grad()
    BackwardPass(network(x).sum()).run()
    np.testing.assert_array_equal(layer.weight.grad.array, once)


def test_a_weight_that_two_layers_share() -> None:
    network = layers([4, 4, 4], [True, False])
    network[2].weight = network[0].weight
    x = np.random.default_rng(2).standard_normal((5, 4)).astype(np.float32)
    assert len(list(network.parameters())) == 3
    fused, fused_grads = run(network, x, np.ones((5, 4), np.float32), watched=False)
    parts, parts_grads = run(network, x, np.ones((5, 4), np.float32), watched=True)
    np.testing.assert_allclose(fused.array, parts.array, rtol=1e-5)
    for one, other in zip(fused_grads, parts_grads, strict=True):
        assert one is not None
        assert other is not None
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("what", ["a layer twice", "a weight of two layers", "its own input"])
def test_what_comes_twice_is_added_up_before_it_is_added_to_the_gradient(what: str) -> None:
    chance = np.random.default_rng(4)
    layer = Linear(8, 8)
    network = Sequential(layer, ReLU(), Linear(8, 8))
    if what == "a layer twice":
        network[2] = layer
    elif what == "a weight of two layers":
        network[2].weight = layer.weight
    x = Tensor(chance.standard_normal((8, 8)).astype(np.float32))
    x = layer.weight if what == "its own input" else x
    before, grad = chance.standard_normal((2, 8, 8)).astype(np.float32)
    found = []
    for way in (Tensor.backward, lambda out, grad: BackwardPass(out, grad).run()):
        network.zero_grad()
        layer.weight.grad = Tensor(before.copy())
        way(network(x), grad)
        assert layer.weight.grad is not None
        found.append(layer.weight.grad.array)
    np.testing.assert_array_equal(*found)
    assert not np.array_equal(found[0], before)


@pytest.mark.parametrize(("name", "allowed"), [("bias", True), ("weight", False)])
def test_a_change_in_place_of_what_is_needed_is_noticed(name: str, allowed: bool) -> None:
    network, x = without_ties()
    out = network(x).sum()
    with engine.no_grad():
        getattr(network[2], name).mul_(2.0)
    if allowed:
        out.backward()
    else:
        with pytest.raises(engine.BackwardError, match="saved argument 1"):
            out.backward()


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("of_the_class", [False, True])
def test_another_forward_is_called(
    place: int, of_the_class: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = Sequential(Linear(3, 3), ReLU(), Linear(3, 3))
    changed = network[place]
    calls = []

    def forward(*args: Any) -> Tensor:
        calls.append(args)
        return args[-1] * 2.0

    monkeypatch.setattr(type(changed) if of_the_class else changed, "forward", forward)
    network(Tensor(np.ones((4, 3))))
    assert calls


def test_layers_that_are_changed_between_two_calls() -> None:
    network, x = without_ties()

    def as_one_and_in_parts() -> None:
        out = network(x)
        with record_origins():
            np.testing.assert_array_equal(out.array, network(x).array)

    as_one_and_in_parts()
    changes: list[Callable[[], object]] = [
        lambda: setattr(network[0], "weight", Parameter(-network[0].weight)),
        lambda: setattr(network[2], "bias", Parameter(network[2].bias + 1)),
        lambda: setattr(network[2].weight, "array", network[2].weight.array[::-1].copy()),
        lambda: setattr(network[0], "bias", None),
        lambda: setattr(network, "1", engine.Tanh()),
        lambda: network._modules.update({"1": engine.Sigmoid()}),
        lambda: network.append(Linear(network[-1].bias.shape[0], 2)),
        lambda: setattr(network[2], "forward", lambda x: x * 2),
        lambda: delattr(network[2], "forward"),
        lambda: network[2].load_state_dict({k: v * 2 for k, v in network[2].state_dict().items()}),
    ]
    before = network(x).array
    for change in changes:
        change()
        assert not np.array_equal(network(x).array, before)
        before = network(x).array
        as_one_and_in_parts()


def test_a_copy_of_layers_goes_its_own_way() -> None:
    network, x = without_ties()
    before = network(x).array
    other = copy.deepcopy(network)
    for parameter in other.parameters():
        parameter.array *= 2
    np.testing.assert_array_equal(network(x).array, before)
    assert not np.array_equal(other(x).array, before)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(network))(x).array, before)


def test_gradients_add_up_over_passes_and_are_nobody_elses() -> None:
    network, x = without_ties()
    network[0].bias.requires_grad = False
    for _ in range(2):
        network(x).sum().backward()
    twice = [None if p.grad is None else p.grad.array for p in network.parameters()]
    first = [None if grad is None else grad.copy() for grad in twice]
    network(x).sum().backward()
    for before, kept in zip(first, twice, strict=True):  # an array once given is not written again
        np.testing.assert_array_equal(before, kept)
    network.zero_grad()
    for _ in range(2):
        BackwardPass(network(x).sum()).run()
    for parameter, expected in zip(network.parameters(), first, strict=True):
        if parameter.grad is None:
            assert expected is None
        else:
            np.testing.assert_array_equal(parameter.grad.array, expected)
