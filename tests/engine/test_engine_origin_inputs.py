"""What a tensor remembers of the tensors that it was made from, also where no graph is recorded."""

from __future__ import annotations

import gc
import weakref

import engine


def test_an_untracked_result_knows_its_inputs() -> None:
    with engine.record_origins():
        w = engine.Tensor([1.0, 2.0], requires_grad=True)
        with engine.no_grad():
            h = w * 3
    assert h.origin is not None
    (given,) = h.origin.inputs
    assert given.tensor() is w
    assert given.requires_grad
    assert not h.origin.grad_enabled


def test_detach_has_an_origin_only_where_origins_are_recorded() -> None:
    w = engine.Tensor([1.0], requires_grad=True)
    assert w.detach().origin is None
    with engine.record_origins():
        cut = w.detach()
    assert cut.origin is not None
    assert (cut.origin.op, cut.origin.inputs[0].tensor()) == ("detach", w)


def test_a_way_is_known_where_what_lay_on_it_is_gone() -> None:
    with engine.record_origins():
        w = engine.Tensor([1.0], requires_grad=True)
        h = (w * 2).detach() * 3
    assert h.origin is not None
    detached = h.origin.inputs[0]
    assert detached.tensor() is None
    assert detached.origin is not None
    product = detached.origin.inputs[0]
    assert product.origin is not None
    assert product.origin.inputs[0].tensor() is w


def test_no_tensor_is_kept_alive() -> None:
    gc.disable()
    try:
        with engine.record_origins():
            w = engine.Tensor([1.0], requires_grad=True)
            h = w.detach() * 3
        gone = weakref.ref(w)
        del w
        assert gone() is None
        assert h.origin is not None
    finally:
        gc.enable()


def test_a_long_history_is_freed_without_recursion() -> None:
    with engine.record_origins(), engine.no_grad():
        x = engine.Tensor(1.0)
        for _ in range(100_000):
            x = x * 1.0
    del x
