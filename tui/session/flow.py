"""How a gradient came to be what it is: backwards along the steps that brought it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tui.session import formulas, gates, nonfinite, numbers
from tui.session.facts import function_name
from tui.session.labels import Labels
from tui.session.protocol import Array, EdgeFacts, Graph, StepFacts, users_of

VANISHED = 1e-4
"""A norm that has become so small a share of the seed's (or grown by as much) is told of."""

MOST = 3
"""So many nodes are told of, where many have the same to tell."""


@dataclass(frozen=True, slots=True)
class Came:
    """A contribution, with the step that made it."""

    step: StepFacts
    edge: EdgeFacts


class Flow:
    """Follows the gradients of a graph back to where they came from."""

    def __init__(self, graph: Graph, labels: Labels) -> None:
        self._graph = graph
        self._labels = labels
        self._users = users_of(graph.nodes)

    def came(self, node: int) -> list[Came]:
        """What has come to a node so far, in the order in which it came."""
        users = dict.fromkeys(u for u in self._users[node] if u < self._graph.position)
        steps = (self._graph.taken(user) for user in users)
        return [Came(step, edge) for step in steps for edge in step.edges if edge.parent == node]

    def missing(self, node: int) -> list[int]:
        """The nodes whose steps are still to bring something."""
        position, steps = self._graph.position, self._graph.step_count
        return [u for u in dict.fromkeys(self._users[node]) if position <= u < steps]

    def between(self, node: int) -> list[int]:
        """The nodes on the ways from the root to a node, in the order of their steps."""
        found, waiting = {node}, [node]
        while waiting:
            for user in self._users[waiting.pop()]:
                if user not in found:
                    found.add(user)
                    waiting.append(user)
        return sorted(found - {node})

    # A gradient that is 0

    def why_zero(self, node: int) -> list[str]:
        """Which step made a gradient 0 that is 0 in every element."""
        way = self._up(node, lambda came: not came.step.grad_out.any())
        hooked = self._hook_made(way[-1], lambda grad: not grad.any())
        if hooked:
            return [hooked]
        top = way[-1]
        came = self.came(top)
        short = self._labels.short(top)
        tail = self._tail(way)
        if not came:
            if top == 0:
                return [f"The seed, the gradient of {short} itself, is 0.{tail}"]
            return [f"Nothing has come to {short}.{tail}"]
        if any(c.edge.contribution.any() for c in came):
            terms = " and ".join(
                f"{numbers.in_words(c.edge.contribution)} from {self._node(c.step.node)}"
                for c in came[:MOST]
            )
            return [f"What came to {short} adds up to 0: {terms}.{tail}"]
        blocking = [c for c in came if c.step.grad_out.any()][:MOST]
        return [self._blocked(c) + tail for c in blocking]

    def why_partly_zero(self, node: int, grad: Array) -> list[str]:
        """How many elements of a gradient are 0, and which steps on its way brought zeros in."""
        found: dict[int, str] = {}
        waiting, seen = [node], {node}
        while waiting:
            for came in self.came(waiting.pop(0)):
                step = came.step
                if came.edge.contribution.all():
                    continue
                sentence = self._zeros_of(came)
                if sentence is not None:
                    found.setdefault(step.index, sentence)
                if not step.grad_out.all() and step.node not in seen:
                    seen.add(step.node)
                    waiting.append(step.node)
        return [self._share(grad), *(found[index] for index in sorted(found)[:MOST])]

    def gates_ahead(self, node: int) -> list[str]:
        """What will let little through on the ways to a node, from the values alone."""
        found = (gates.of(self._graph, self._labels, other) for other in self.between(node))
        return [gate.sentence for gate in found if gate is not None and gate.blocks][:MOST]

    @staticmethod
    def _share(grad: Array) -> str:
        whole = [
            f"{int(lines.sum())} of its {lines.size} {what}"
            for what, axis in (("rows", 1), ("columns", 0))
            if grad.ndim == 2
            and min(grad.shape) > 1
            and (lines := (grad == 0).all(axis=axis)).any()
        ]
        tail = f", among them {' and '.join(whole)}" if whole else ""
        return f"It is 0 in {int((grad == 0).sum()):,} of its {grad.size:,} elements{tail}."

    def _zeros_of(self, came: Came) -> str | None:
        """What brings zeros into a contribution that were not in the step's grad_out."""
        step, edge = came.step, came.edge
        zeros = edge.contribution.size - np.count_nonzero(edge.contribution)
        before = step.grad_out.size - np.count_nonzero(step.grad_out)
        if self._graph.nodes[step.node].op == "matmul":
            sentence = self._zero_factor(came)
            if sentence is not None:
                return sentence
        if zeros * step.grad_out.size <= before * edge.contribution.size:
            return None
        gate = gates.of(self._graph, self._labels, step.node)
        if gate is not None and gate.blocks:
            return gate.sentence
        return (
            f"{self._node(step.node)} hands on 0 in {zeros:,} of {edge.contribution.size:,} "
            f"elements to {self._labels.short(edge.parent)}: {self._formula(came)}."
        )

    def _zero_factor(self, came: Came) -> str | None:
        """Whether a product of matrices multiplies by columns (or rows) that are 0."""
        arguments = self._graph.arguments(came.step.node)
        other = np.asarray(arguments[1 - came.edge.arg])
        if other.ndim != 2:
            return None
        what = "columns" if came.edge.arg else "rows"
        lines = (other == 0).all(axis=0 if came.edge.arg else 1)
        if not lines.any():
            return None
        parents = {p.arg: p.node for p in self._graph.nodes[came.step.node].parents}
        node = parents.get(1 - came.edge.arg)
        gate = None if node is None else gates.of(self._graph, self._labels, node)
        return (
            f"{self._node(came.step.node)} multiplies by "
            f"{self._labels.operands(came.step.node)[1 - came.edge.arg]}, which is 0 in "
            f"{int(lines.sum())} of {lines.size} {what}."
            + (f" {gate.sentence}" if gate is not None and gate.blocks else "")
        )

    def _blocked(self, came: Came) -> str:
        """Why a step handed on nothing of what it had got."""
        step, edge = came.step, came.edge
        node = self._graph.nodes[step.node]
        name, parent = self._node(step.node), self._labels.short(edge.parent)
        gate = gates.of(self._graph, self._labels, step.node)
        if gate is not None and gate.blocks:
            return gate.sentence
        arguments = self._graph.arguments(step.node)
        if node.op == "multiply" and len(arguments) == 2:
            other = arguments[1 - edge.arg]
            if not np.any(other):
                factor = self._labels.operands(step.node)[1 - edge.arg]
                factor = factor if factor == "0" else f"{factor}, which is 0"
                return f"{name} multiplies what goes to {parent} by {factor}."
        return (
            f"{name} gets {self._amount(step.grad_out)} and hands 0 to {parent}: "
            f"{self._formula(came)}{self._too_small(came)}."
        )

    def _too_small(self, came: Came) -> str:
        """Whether a contribution is 0 only because its dtype cannot hold such small numbers."""
        step, edge = came.step, came.edge
        formula = formulas.formula_of(edge.backward)
        if formula is None:
            return ""
        values = (step.grad_out, self._graph.value(step.node), *self._graph.arguments(step.node))
        exact = {
            name: np.asarray(value, np.float64) if isinstance(value, np.ndarray) else value
            for name, value in zip(formulas.parameter_names(edge.backward), values, strict=False)
        }
        try:
            with np.errstate(all="ignore"):
                result = np.asarray(formulas.evaluate(formula, exact))
        except (ValueError, TypeError, ZeroDivisionError, SyntaxError):
            return ""
        if not np.any(result):
            return ""
        largest = numbers.number(np.abs(result).max())
        return f" is {largest} at the most, and {edge.contribution.dtype} has only 0 for that"

    # A gradient that is NaN or Inf

    def why_not_finite(self, node: int) -> list[str]:
        """Which step was the first to make NaN or Inf of finite numbers."""

        def broken(came: Came) -> bool:
            return not nonfinite.is_finite(came.edge.contribution)

        way = [node]
        while True:
            came = [c for c in self.came(way[-1]) if broken(c)]
            if not came:
                break
            start = next((c for c in came if nonfinite.is_finite(c.step.grad_out)), None)
            if start is not None:
                return [self._broke(start) + self._tail(way)]
            way.append(came[0].step.node)
        tail = self._tail(way)
        short = self._labels.short(way[-1])
        hooked = self._hook_made(way[-1], lambda grad: not nonfinite.is_finite(grad))
        if hooked:
            return [hooked]
        if self.came(way[-1]):
            return [
                f"What came to {short} was finite, and its sum is more than "
                f"{self._graph.nodes[way[-1]].dtype} holds.{tail}"
            ]
        return [f"The seed, the gradient of {short} itself, is not finite.{tail}"]

    def _broke(self, came: Came) -> str:
        step, edge = came.step, came.edge
        place = nonfinite.first_place(edge.contribution)
        shape, op = edge.contribution.shape, self._graph.nodes[step.node].op
        what = nonfinite.counted(edge.contribution, place)
        name, parent = self._node(step.node), self._labels.short(edge.parent)
        from_ = ""
        arguments = self._graph.arguments(step.node)
        if op in nonfinite.ELEMENTWISE:
            labels = ["grad_out", self._out(step.node), *self._labels.operands(step.node)]
            values = [step.grad_out, self._graph.value(step.node), *arguments]
            used = self._used(edge)
            parts = [
                nonfinite.element(value, label, shape, place)
                for i, (value, label) in enumerate(zip(values, labels, strict=True))
                if used is None or i in used
            ]
            from_ = ", from " + " and ".join(part for part in parts if part)
        own = (*arguments, self._graph.value(step.node))
        whose = ""
        if not all(map(nonfinite.is_finite, own)):
            source = nonfinite.source_of(self._graph, step.node)
            origin = nonfinite.origin_of(self._graph, self._labels, source)
            whose = f" The values had it already: {origin}."
        return (
            f"It starts at {name}: {function_name(edge.backward)} hands {parent} {what}; "
            f"{self._formula(came)}{from_}.{whose}"
        )

    # A gradient that has become very small or large

    def why_vanished(self, node: int) -> list[str]:
        """Where the norm has fallen (or grown) most on the way from the root, if it has fallen
        (or grown) to less than VANISHED of the seed's (or by as much)."""
        ratios: list[tuple[float, Came]] = []
        current = node
        while came := self.came(current):
            main = max(came, key=lambda c: _norm(c.edge.contribution)) if came[1:] else came[0]
            there = _norm(main.step.grad_out)
            if there:
                ratios.append((_norm(main.edge.contribution) / there, main))
            current = main.step.node
        seed, grad = self._graph.grad(0), self._graph.grad(node)
        if not ratios or seed is None or grad is None:
            return []
        start, end = numbers.norm(seed), numbers.norm(grad)
        falls = end < VANISHED * start
        if not end or not (falls or end * VANISHED > start):
            return []
        ratio, main = (min if falls else max)(ratios, key=lambda pair: pair[0])
        each = (end / start) ** (1 / len(ratios))
        told = (
            f"On the way from {self._labels.short(0)} the norm {'falls' if falls else 'grows'} "
            f"from {numbers.number(start)} to {numbers.number(end)} in {len(ratios):,} steps, by a "
            f"factor of {_factor(each)} a step on average."
        )
        if 0.99 < ratio / each < 1.01:
            return [told]
        return [
            f"{told} The {'least' if falls else 'largest'}, {_factor(ratio)}, is that of "
            f"{self._node(main.step.node)}: {self._formula(main)}."
        ]

    # Words

    def sum_of(self, node: int) -> str:
        """What has come to a node, by where it came from: `6 from d (node 3) + 1 from e (node
        1)`."""
        came = self.came(node)
        terms = [
            f"{self._amount(c.edge.contribution)} from {self._node(c.step.node)}"
            for c in came[:MOST]
        ]
        more = [f"{len(came) - MOST} more"] if len(came) > MOST else []
        return " + ".join(terms + more)

    def _up(self, node: int, goes_on: Callable[[Came], object]) -> list[int]:
        """The way up along steps for which all that came (and what they had got) was nothing."""
        way = [node]
        while True:
            came = self.came(way[-1])
            if not came or not all(goes_on(c) for c in came):
                return way
            way.append(came[0].step.node)

    def _hook_made(self, node: int, bad: Callable[[Array], object]) -> str | None:
        if node >= self._graph.position:
            return None
        step = self._graph.taken(node)
        if step.unhooked is None or bad(step.unhooked) or not bad(step.grad_out):
            return None
        name = self._labels.short(node)
        return (
            f"A hook of {name} made it {self._amount(step.grad_out)}; before the hook it was "
            f"{self._amount(step.unhooked)}."
        )

    def _tail(self, way: list[int]) -> str:
        """The nodes from where it starts to the one that is asked about."""
        return f" The way: {self._labels.way(reversed(way))}." if len(way) > 1 else ""

    def _formula(self, came: Came) -> str:
        """The backward function's formula with the names of the arguments put in, and those of
        its numbers that fit."""
        step, edge = came.step, came.edge
        formula = formulas.formula_of(edge.backward)
        if formula is None or not formulas.is_expression(formula):
            return formula or f"{function_name(edge.backward)}(...)"
        names = formulas.parameter_names(edge.backward)
        labels = ["grad_out", self._out(step.node), *self._labels.operands(step.node)]
        return formulas.put_in(formula, dict(zip(names, labels, strict=False)))

    def _out(self, node: int) -> str:
        name = self._graph.nodes[node].name
        return name if name is not None and name.isidentifier() else "out"

    @staticmethod
    def _used(edge: EdgeFacts) -> set[int] | None:
        """The positions of the parameters that a backward function's formula names."""
        formula = formulas.formula_of(edge.backward)
        if formula is None or not formulas.is_expression(formula):
            return None
        words = {m.group().partition(".")[0] for m in formulas.WORD.finditer(formula)}
        return {i for i, n in enumerate(formulas.parameter_names(edge.backward)) if n in words}

    def _node(self, node: int) -> str:
        return f"{self._labels.short(node)} (node {node})"

    @staticmethod
    def _amount(array: Array) -> str:
        return numbers.in_words(array)


def _norm(array: Array) -> float:
    return abs(float(array.item())) if array.size == 1 else numbers.norm(array)


def _factor(value: float) -> str:
    return f"{value:.6g}" if 0.99 < value < 1.01 else numbers.number(value)
