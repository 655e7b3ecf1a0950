"""Backpropagation on NumPy arrays, in the way of PyTorch, one step at a time where wanted.

Besides the names below, everything that `engine.functions` and `engine.creation` list as public
can be imported from here: the functions on Tensors and their backward functions.
"""

# ruff: noqa: F403
from engine import creation, functions, nn, optim, training
from engine.backward import BackwardPass, backward_steps
from engine.batches import DataLoader
from engine.broadcasting import unbroadcast
from engine.creation import *
from engine.errors import BackwardError, CycleError, ShapeError, StateError
from engine.functions import *
from engine.grad_mode import NoGrad, is_grad_enabled, no_grad
from engine.gradcheck import (
    ArgumentCheck,
    CannotCheck,
    GradcheckError,
    check_backward_func,
    first_difference,
    gradcheck,
)
from engine.graph import sorted_computational_graph, topological_sort
from engine.hooks import HookHandle, add_step_hook
from engine.nn import *
from engine.optim import *
from engine.origin import Call, Origin, composite, record_origins
from engine.random import get_rng_state, initial_seed, manual_seed, set_rng_state
from engine.registry import BACK_FUNCS, BackwardFuncLookup
from engine.steps import Edge, Step
from engine.tensor import Recipe, Tensor
from engine.training import *
from engine.wrapping import wrap_forward_fn

BACK_FUNCS.mark_as_own()

__all__ = [
    "BACK_FUNCS",
    "ArgumentCheck",
    "BackwardError",
    "BackwardFuncLookup",
    "BackwardPass",
    "Call",
    "CannotCheck",
    "CycleError",
    "DataLoader",
    "Edge",
    "GradcheckError",
    "HookHandle",
    "NoGrad",
    "Origin",
    "Recipe",
    "ShapeError",
    "StateError",
    "Step",
    "Tensor",
    "add_step_hook",
    "backward_steps",
    "check_backward_func",
    "composite",
    "first_difference",
    "get_rng_state",
    "gradcheck",
    "initial_seed",
    "is_grad_enabled",
    "manual_seed",
    "no_grad",
    "record_origins",
    "set_rng_state",
    "sorted_computational_graph",
    "topological_sort",
    "unbroadcast",
    "wrap_forward_fn",
]
__all__ += creation.__all__
__all__ += functions.__all__
__all__ += nn.__all__
__all__ += optim.__all__
__all__ += training.__all__
