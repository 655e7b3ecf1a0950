"""The explanation of a step: which numbers came, what was done with them, where they went.

An explanation is a list of items that know nothing of a screen's width: the screen lays them
out, wrapping what is too long.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from tui.session import formula_results, formulas, numbers
from tui.session.facts import function_name
from tui.session.labels import Labels, constant
from tui.session.protocol import Array, EdgeFacts, Graph, StepFacts
from tui.session.tensors.slices import Index
from tui.session.worked import WorkedElements

Item = tuple[str, str, str]
"""(kind, left, right): kind is title, line, strong, quiet, rule, text (a paragraph), gap; edge,
where one starts; given, whose right part a pane leaves out where both do not fit into a line;
detail, nothing and worked, which a pane that has no room for them leaves out; tensor, where what is
told of one starts; bars, a smallest value, bars and a largest value."""

GAP: Item = ("gap", "", "")
RULE: Item = ("rule", "", "-------")
UNKNOWN = "?"

EDGES_TOLD = 40
"""So many edges of a step are told at once; no screen has room for more."""

EXPRESSION_AT_MOST = 26
"""What a node without a name computes is told where it is no longer: a line has room for it."""

PARENTS_LISTED = 8
"""So many parents of a node are named in a sentence."""


class Explainer:
    """Explains the steps of one graph.

    Args:
        graph: whose steps they are.
        labels: what its nodes are called.
        users: which nodes use each of them, see `users_of`.
        chosen: by node, the element that is to be worked through where tensors are large.
    """

    def __init__(
        self,
        graph: Graph,
        labels: Labels,
        users: list[list[int]],
        chosen: Mapping[int, Index] | None = None,
    ) -> None:
        self._graph = graph
        self._labels = labels
        self._users = users
        self._worked = WorkedElements(graph, {} if chosen is None else chosen)

    def step(self, step: StepFacts, revealed: int | None = None) -> list[Item]:
        """One step. With `revealed`, only so many half edges are told: the formula of an edge
        with a `?` in the place of its result first, then the result."""
        node = self._graph.nodes[step.node]
        state = "just done" if revealed is None else "under way"
        items: list[Item] = [
            ("title", self._labels.full(step.node), f"node {step.node}, {state}"),
            GAP,
            self._grad_out(step),
        ]
        if step.unhooked is not None:
            items.append(("quiet", "  before its hooks", self._amount(step.unhooked)))
        if node.leaf:
            return [*items, GAP, *self._leaf(step)]
        told = len(step.edges) if revealed is None else (revealed + 1) // 2
        first = 0 if revealed is None else max(0, told - EDGES_TOLD)
        if first:
            items += [GAP, ("quiet", f"after {first:,} other arguments", "")]
        for position in range(first, min(told, first + EDGES_TOLD)):
            edge = step.edges[position]
            unknown = revealed is not None and revealed <= 2 * position + 1
            items += [GAP, *self._edge(step, edge, unknown)]
        if told > first + EDGES_TOLD:
            items += [GAP, ("quiet", f"and to {told - first - EDGES_TOLD:,} other arguments", "")]
        if revealed is None:
            items += self._remarks(step)
        return items

    def upcoming(self) -> str:
        """What the next step is, in a sentence."""
        index = self._graph.position
        if index == self._graph.step_count:
            return "nothing: every step is done, each leaf that requires grad has its .grad."
        node = self._graph.nodes[index]
        grad = self._graph.grad(index)
        label = self._labels.full(index)
        if index == 0:
            seed = "1" if grad is not None and grad.ndim == 0 and grad == 1 else None
            tail = f"Its grad_out is the seed, {seed}." if seed else "Its grad_out is the seed."
            return f"node 0, {label}. {tail}"
        if node.leaf:
            short = self._labels.short(index)
            stored_before = self._graph.stored_grad(index)
            if grad is not None and stored_before is not None:
                grad = stored_before + grad
            if grad is None or grad.size > 1:
                return f"node {index}, {short}: a leaf that requires grad: it stays, as .grad."
            becomes = f"{short}.grad becomes {numbers.measure(grad)}"
            return f"node {index}, {short}: a leaf that requires grad, so {becomes}."
        parents = dict.fromkeys(
            self._labels.called(p.node) for p in node.parents if p.node < self._graph.step_count
        )
        return f"node {index}, {label}: it hands its gradient to {_listed(list(parents))}."

    def _grad_out(self, step: StepFacts) -> Item:
        root = self._labels.short(0)
        name = self._labels.called(step.node)
        grad = step.grad_out
        meaning = f"grad_out = d{root}/d{name}" if _is_word(name) else "grad_out"
        if numbers.is_inline(grad):
            return ("given", f"{meaning} = {numbers.inline(grad)}", "complete")
        return ("strong", meaning, self._big(grad))

    def _leaf(self, step: StepFacts) -> list[Item]:
        name = self._labels.short(step.node)
        items: list[Item] = [("quiet", "a leaf: here the gradient stays", "")]
        if step.stored_before is None:
            items.append(("line", f"  {name}.grad before", "None"))
        else:
            items.append(("line", f"  {name}.grad before", self._amount(step.stored_before)))
        items.append(RULE)
        after = step.stored_after
        items.append(("strong", f"  {name}.grad now", "" if after is None else self._amount(after)))
        return items

    def _edge(self, step: StepFacts, edge: EdgeFacts, unknown: bool) -> list[Item]:
        parent = self._labels.called(edge.parent)
        items: list[Item] = [
            ("edge", f"to {parent}, argument {edge.arg}", function_name(edge.backward))
        ]
        if not self._labels.is_told_apart(edge.parent):
            expression = self._labels.full(edge.parent)
            if len(expression) <= EXPRESSION_AT_MOST:
                items.append(("detail", f"  {parent} = {expression}", ""))
        items += self._computation(step, edge, unknown)
        if not unknown:
            items += self._worked_element(step, edge)
        before = "nothing" if edge.before is None else self._amount(edge.before)
        kind = "nothing" if edge.before is None else "line"
        items.append((kind, f"  {parent} so far{self._came_from(step, edge)}", before))
        items.append(RULE)
        state = "complete" if not edge.waiting else f"{edge.waiting} to come"
        amount = UNKNOWN if unknown else self._amount(edge.accumulated)
        items.append(("strong", f"  {parent} now, {state}", amount))
        return items

    def _worked_element(self, step: StepFacts, edge: EdgeFacts) -> list[Item]:
        """One element by hand, where there are too many to print."""
        arrays = (step.grad_out, edge.contribution, edge.raw)
        if all(array is None or numbers.is_inline(array) for array in arrays):
            return []
        sentence = self._worked.sentence(step, edge)
        return [("worked", f"  {sentence}", "")] if sentence else []

    def _computation(self, step: StepFacts, edge: EdgeFacts, unknown: bool) -> list[Item]:
        formula = formulas.formula_of(edge.backward)
        args = self._graph.arguments(step.node)
        out = self._graph.value(step.node)
        raw = edge.contribution if edge.raw is None else edge.raw
        result = UNKNOWN if unknown else self._amount(raw)
        if formula is None:
            items: list[Item] = [("line", f"  {function_name(edge.backward)}(...)", result)]
        elif not formulas.is_expression(formula) or formula == "grad_out":
            items = [("line", f"  {formula}", result)]
        else:
            items = self._expression(formula, step, edge, args, out, raw, result)
        if edge.raw is not None:
            before, after = numbers.shape(edge.raw.shape), numbers.shape(edge.contribution.shape)
            summed = UNKNOWN if unknown else self._amount(edge.contribution)
            items.append(("line", f"  unbroadcast {before} → {after}", summed))
        return items

    def _expression(
        self,
        formula: str,
        step: StepFacts,
        edge: EdgeFacts,
        args: tuple[Any, ...],
        out: Array,
        raw: Array,
        result: str,
    ) -> list[Item]:
        names = formulas.parameter_names(edge.backward)
        values = dict(zip(names, (step.grad_out, out, *args), strict=False))
        labels = ["grad_out", self._labels.result(step.node), *self._labels.operands(step.node)]
        symbolic = formulas.put_in(formula, dict(zip(names, labels, strict=False)))
        words = formulas.words_of(formula)
        used = [n for n in names if n in values and n in words]
        if not all(_is_printable(values[n]) for n in used) or not numbers.is_inline(raw):
            shapes = {n: _shape_or_number(values[n]) for n in used}
            shapes |= {f"{n}.T": _transposed_shape(values[n]) for n in used}
            items: list[Item] = [("line", f"  {symbolic}", result)]
            dims = {values[n].shape for n in used if getattr(values[n], "ndim", 0)}
            if len(dims) > 1 or "@" in formula:
                items.append(("detail", f"  {formulas.put_in(formula, shapes)}", ""))
            return items
        numeric = formulas.put_in(formula, {n: _printed(values[n]) for n in used})
        sign = formula_results.relation(formula, {n: values[n] for n in used}, raw)
        if all(_is_scalar(values[n]) for n in used) and raw.size == 1:
            return [("line", f"  {symbolic}  =  {numeric}  {sign}", result)]
        return [
            ("line", f"  {symbolic}", ""),
            ("line", f"  = {numeric}", ""),
            ("line", f"  {sign} {result}" if result != UNKNOWN else "  = ?", ""),
        ]

    def _remarks(self, step: StepFacts) -> list[Item]:
        items: list[Item] = []
        seen: set[int] = set()
        for edge in step.edges[:EDGES_TOLD]:
            if edge.before is not None and edge.parent not in seen:
                parent, root = self._labels.called(edge.parent), self._labels.short(0)
                items += [
                    GAP,
                    (
                        "text",
                        f"Why add? {root} depends on {parent} along several ways, and a change of "
                        f"{parent} works along all of them at once.",
                        "",
                    ),
                ]
            seen.add(edge.parent)
        return items

    def _came_from(self, step: StepFacts, edge: EdgeFacts) -> str:
        """Which earlier step brought what the parent has so far, where it was just one."""
        others = (e for e in step.edges if e.parent == edge.parent)
        if edge.before is None or next(others) is not edge:
            return ""
        earlier = [user for user in dict.fromkeys(self._users[edge.parent]) if user < step.index]
        if len(earlier) != 1:
            return ""
        number, name = f"node {earlier[0]}", self._labels.called(earlier[0])
        return f", from {number}" if name == number else f", from {name} ({number})"

    def _amount(self, array: Array) -> str:
        return numbers.inline(array) if numbers.is_inline(array) else self._big(array)

    @staticmethod
    def _big(array: Array) -> str:
        return f"{numbers.shape(array.shape)} norm {numbers.measure(array)}"


def problem_items(problems: Collection[str]) -> list[Item]:
    """What is wrong, above all that is explained; nothing where all is well."""
    return [*(("problem", f"! {problem}", "") for problem in problems), *[GAP] * bool(problems)]


def _is_word(name: str) -> bool:
    return name.replace(".", "_").isidentifier()


def _is_scalar(value: Any) -> bool:
    return getattr(value, "size", 1) == 1


def _is_printable(value: Any) -> bool:
    return not hasattr(value, "shape") or numbers.is_inline(value)


def _printed(value: Any) -> str:
    text = constant(value) if not hasattr(value, "shape") else numbers.inline(value)
    return f"({text})" if text.startswith("-") else text


def _shape_or_number(value: Any) -> str:
    return numbers.shape(value.shape) if getattr(value, "ndim", 0) else constant(value)


def _transposed_shape(value: Any) -> str:
    dims = getattr(value, "shape", ())
    return numbers.shape((*dims[:-2], *reversed(dims[-2:])))


def _listed(names: list[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    if len(names) > PARENTS_LISTED:
        names = [*names[: PARENTS_LISTED - 1], f"{len(names) - PARENTS_LISTED + 1:,} others"]
    return ", ".join(names[:-1]) + " and " + names[-1]
