"""A graph of the project's own engine, as the session sees it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import engine
from engine import inplace
from tui.session.causes.provenance import Provenance
from tui.session.checks import recomputed
from tui.session.checks.saved import Saved
from tui.session.protocol import (
    DIRECT_WRITE,
    Array,
    Batch,
    Call,
    EdgeFacts,
    Node,
    Parent,
    StepFacts,
    Unreached,
    users_of,
)


class EngineGraph:
    """The backward pass over an engine's Tensor.

    Args:
        root: where the pass starts.
        end_grad: its seed, ones where it is None.
        names: the tensors' names by `id(tensor)`.
        modules: the modules' dotted names by `id(module)`.
        filename: the scenario's file; lines in other files are not shown.
        beside: the user's tensors, which need not be in the graph.
        ahead: the batch of a training that it is the graph of.

    Raises:
        What `engine.BackwardPass` raises.
    """

    def __init__(
        self,
        root: engine.Tensor,
        end_grad: Any = None,
        names: Mapping[int, str] | None = None,
        modules: Mapping[int, str] | None = None,
        filename: str | None = None,
        beside: Sequence[engine.Tensor] = (),
        ahead: engine.LookAhead | None = None,
    ) -> None:
        self._pass = engine.BackwardPass(root, end_grad)
        resting = [t for t in engine.sorted_computational_graph(root) if not t.requires_grad]
        self._tensors = [*self._pass.order, *resting]
        self._ids = {id(tensor): i for i, tensor in enumerate(self._tensors)}
        self._filename = filename
        self._last: tuple[engine.Step, StepFacts] | None = None
        self._batch: Batch | None = None
        if ahead is not None and id(ahead.inputs) in self._ids:
            made = ahead.outputs
            outputs = made.array if isinstance(made, engine.Tensor) else None
            self._batch = Batch(self._ids[id(ahead.inputs)], ahead.labels.array, outputs)
        recipes = [tensor.recipe for tensor in self._tensors]
        names, calls, dtypes = names or {}, _Calls(modules or {}), _Dtypes()
        self._nodes = [
            self._node(i, tensor, recipe, names.get(id(tensor)), calls, dtypes)
            for i, (tensor, recipe) in enumerate(zip(self._tensors, recipes, strict=True))
        ]
        self._saved = Saved(
            value
            for tensor, recipe in zip(self._tensors, recipes, strict=True)
            for value in _kept(tensor.array, recipe)
        )
        known = {id(tensor): tensor for tensor in (*self._tensors, *beside)}
        named = [(names[key], tensor) for key, tensor in known.items() if key in names]
        self._provenance = Provenance(root, self._tensors, named, filename)

    def _node(
        self,
        i: int,
        tensor: engine.Tensor,
        recipe: engine.Recipe | None,
        name: str | None,
        calls: _Calls,
        dtypes: _Dtypes,
    ) -> Node:
        origin, ids = tensor.origin, self._ids
        return Node(
            id=i,
            name=name,
            call=calls.of(origin.call) if origin else None,
            op=tensor.op,
            shape=tensor.shape,
            dtype=dtypes[tensor.dtype],
            leaf=recipe is None,
            requires_grad=tensor.requires_grad,
            parents=()
            if recipe is None
            else tuple([Parent(arg, ids[id(parent)]) for arg, parent in recipe.parents.items()]),
            line=_line(tensor, self._filename),
        )

    @property
    def nodes(self) -> Sequence[Node]:
        return self._nodes

    @property
    def step_count(self) -> int:
        return len(self._pass.order)

    @property
    def position(self) -> int:
        return self._pass.position

    @property
    def batch(self) -> Batch | None:
        return self._batch

    def step(self) -> StepFacts:
        return self._facts(self._pass.step())

    def step_back(self) -> StepFacts:
        return self._facts(self._pass.step_back())

    def taken(self, index: int) -> StepFacts:
        return self._facts(self._pass.taken(index))

    def value(self, node: int) -> Array:
        return self._tensors[node].array

    def grad(self, node: int) -> Array | None:
        return self._pass.grad(self._tensors[node])

    def stored_grad(self, node: int) -> Array | None:
        grad = self._tensors[node].grad
        return None if grad is None else grad.array

    def waiting(self, node: int) -> int:
        return self._pass.waiting(self._tensors[node])

    def arguments(self, node: int) -> tuple[Any, ...]:
        recipe = self._tensors[node].recipe
        return recipe.args if recipe else ()

    def forward(self, node: int) -> tuple[Callable[..., Any], Mapping[str, Any]]:
        recipe = self._tensors[node].recipe
        if recipe is None:
            raise ValueError(f"node {node} is a leaf: no function has made it")
        return recipe.func, recipe.kwargs

    def backward(self, node: int) -> Mapping[int, Callable[..., Any] | None]:
        return self._pass.backward_functions(self._tensors[node])

    def upcoming(self, node: int) -> list[Callable[..., Any]]:
        return self._pass.upcoming(self._tensors[node])

    def changed(self, node: int) -> str | None:
        tensor = self._tensors[node]
        made = self._made_at(node)
        change = inplace.last_change(tensor.array)
        if change is not None and change.time > made:
            return f"its value: {change}"
        for parent in self._nodes[node].parents:
            change = inplace.last_change(self._tensors[parent.node].array)
            if change is not None and change.time > tensor._made_at:
                return f"its argument {parent.arg}: {change}"
        for position, value in enumerate(_kept(tensor.array, tensor.recipe)):
            difference = self._saved.difference(value)
            if difference is not None:
                return f"{self._kept_name(node, position)} {DIRECT_WRITE}: {difference}"
        recipe = tensor.recipe
        if recipe is None:
            return None
        unlike = recomputed.difference(recipe.func, recipe.args, recipe.kwargs, tensor.array)
        if unlike is None:
            return None
        return (
            f"its value is not what {tensor.op} makes of its arguments: {unlike}; a direct write "
            "into .array has changed one of them after the forward pass"
        )

    def trained_since(self) -> str | None:
        made = self._tensors[0]._made_at
        for tensor, node in zip(self._tensors, self._nodes, strict=True):
            if node.leaf and node.requires_grad:
                change = inplace.last_change(tensor.array)
                if change is not None and change.time > made and change.op.endswith(".step"):
                    return f"{change.op}" + (f" (line {change.line})" if change.line else "")
        return None

    def _made_at(self, node: int) -> int:
        """The engine's time at which a node's value entered the forward pass: for a leaf, which
        may be much older, when it was used first."""
        tensor = self._tensors[node]
        users = self._users[node]
        if tensor.is_leaf and users:
            return min(self._tensors[user]._made_at for user in users)
        return tensor._made_at

    @functools.cached_property
    def _users(self) -> list[list[int]]:
        return users_of(self._nodes)

    def _kept_name(self, node: int, position: int) -> str:
        """What stands at a position of `_kept`, in words."""
        recipe = self._tensors[node].recipe
        arguments = len(recipe.args) if recipe else 0
        keywords = list(recipe.kwargs) if recipe else []
        if position < arguments:
            parents = {p.arg: self._nodes[p.node].name for p in self._nodes[node].parents}
            what, name = f"argument {position}", parents.get(position)
        elif position < arguments + len(keywords):
            what, name = f"the argument {keywords[position - arguments]}", None
        else:
            what, name = "its value" if recipe is None else "its result", self._nodes[node].name
        return f"{what}, {name}," if name else what

    def why_no_grad(self, node: int) -> list[str]:
        return self._provenance.why_no_grad(self._tensors[node])

    def broken_outside(self, node: int) -> str | None:
        return self._provenance.broken(self._tensors[node])

    def unreached(self) -> list[Unreached]:
        return self._provenance.unreached()

    def why_unreached(self, name: str) -> list[str]:
        return self._provenance.why_unreached(name)

    def _facts(self, step: engine.Step) -> StepFacts:
        """The facts of a step; those of the last one asked for are kept, it is asked for often."""
        if self._last is None or self._last[0] is not step:
            self._last = (step, self._facts_of(step))
        return self._last[1]

    def _facts_of(self, step: engine.Step) -> StepFacts:
        return StepFacts(
            step.index,
            self._ids[id(step.node)],
            step.grad_out,
            tuple(
                EdgeFacts(
                    edge.arg,
                    self._ids[id(edge.parent)],
                    edge.backward,
                    edge.contribution,
                    edge.raw,
                    edge.before,
                    edge.accumulated,
                    edge.waiting,
                )
                for edge in step.edges
            ),
            None if step.grad_before is None else step.grad_before.array,
            None if step.grad_after is None else step.grad_after.array,
            None if step.unhooked is step.grad_out else step.unhooked,
        )


def _kept(result: Array, recipe: engine.Recipe | None) -> tuple[Any, ...]:
    """What a tensor's step may look at: the arguments and the result."""
    if recipe is None:
        return (result,)
    return (*recipe.args, *recipe.kwargs.values(), result)


def _line(tensor: engine.Tensor, filename: str | None) -> int | None:
    """The line of the scenario that made a tensor, or that gave a leaf; None where another did."""
    if tensor.origin is not None:
        place = tensor.origin.filename, tensor.origin.line
    else:
        place = getattr(tensor, "given_at", None) or (None, None)
    return place[1] if place[0] == filename else None


class _Dtypes(dict[Any, str]):
    """The names of dtypes: asking NumPy anew for each of many nodes takes long."""

    def __missing__(self, dtype: Any) -> str:
        name = self[dtype] = str(dtype)
        return name


class _Calls:
    """Calls of modules and composite functions with their dotted paths.

    What is called again gets a number: `linear`, `linear (2)`.
    """

    def __init__(self, modules: Mapping[int, str]) -> None:
        self._modules = modules
        self._known: dict[int, Call | None] = {}
        self._calls: list[engine.Call] = []  # keeps the ids in `_known` valid
        self._count: dict[str, int] = {}

    def of(self, call: engine.Call | None) -> Call | None:
        """None outside of any call; a model itself, whose name is empty, is none."""
        if call is None:
            return None
        if id(call) not in self._known:
            caller = self.of(call.caller)
            name = self._name(call.owner, caller)
            module = type(call.owner).__name__ if isinstance(call.owner, engine.Module) else None
            made = Call(self._numbered(name), module, caller) if name else caller
            self._known[id(call)] = made
            self._calls.append(call)
        return self._known[id(call)]

    def _name(self, owner: object, caller: Call | None) -> str:
        if isinstance(owner, engine.Module):
            own = self._modules.get(id(owner))
            return type(owner).__name__ if own is None else own
        name = getattr(owner, "__name__", "call")
        return f"{caller.path}.{name}" if caller else name

    def _numbered(self, name: str) -> str:
        self._count[name] = count = self._count.get(name, 0) + 1
        return name if count == 1 else f"{name} ({count})"
