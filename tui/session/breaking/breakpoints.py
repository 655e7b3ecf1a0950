"""The breakpoints, conditions and watches of a scenario."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from tui.errors import Refused
from tui.session.breaking import holding
from tui.session.breaking.condition import Condition
from tui.session.breaking.entries import parse_stop, parse_watch
from tui.session.breaking.evaluation import EvaluationError
from tui.session.breaking.listed import numbered
from tui.session.breaking.stop import Stop
from tui.session.breaking.targets import OneNode, Operation, Target, find, one_node
from tui.session.breaking.wildcards import matches
from tui.session.labels import Labels
from tui.session.protocol import Graph, StepFacts


@dataclass
class Breakpoint:
    """Something that makes a run stop: before a node, or after a step of which it holds."""

    what: Target | Condition
    enabled: bool = True
    given: bool = False
    """Whether it was given on the command line; such a one is not remembered."""
    hits: int = 0
    """How often it has made a run stop."""

    def __str__(self) -> str:
        return str(self.what)


@dataclass
class Watch:
    """Nodes whose gradients are always shown."""

    what: Target
    given: bool = False


class Breakpoints:
    """All breakpoints and watches; they outlive a graph, and are attached to one at a time."""

    def __init__(self) -> None:
        self.breakpoints: list[Breakpoint] = []
        self.watches: list[Watch] = []
        self.on_change: Callable[[], None] = lambda: None
        """Called when there is something new to remember."""
        self._found: dict[OneNode, int | None] = {}
        self._watched: dict[int, None] | None = None
        self._ahead: tuple[int, list[Breakpoint]] = (-1, [])
        """The node that was asked last before its step, and the conditions that held."""

    def attach(self, graph: Graph, labels: Labels) -> None:
        """Be about this graph from now on."""
        self._graph, self._labels = graph, labels
        self._found.clear()
        self._watched = None
        self._ahead = (-1, [])

    # Changing

    def add_stop(self, text: str, given: bool = False) -> Breakpoint:
        """Add a breakpoint or a condition as it is typed.

        Raises:
            ExpressionError: it cannot be parsed.
            Refused: there is no such node, or it is there already.
        """
        parsed = parse_stop(text)
        what = self._node(parsed) if isinstance(parsed, int) else parsed
        there = next((b for b in self.breakpoints if b.what == what), None)
        if there is None:
            there = Breakpoint(what, given=given)
            self.breakpoints.append(there)
        elif given:
            there.enabled = True
        else:
            raise Refused(f"{what} is there already")
        self.on_change()
        return there

    def add_watch(self, text: str, given: bool = False) -> None:
        """Watch what is typed.

        Raises:
            ExpressionError: it cannot be parsed.
            Refused: there is no such node.
        """
        parsed = parse_watch(text)
        what = self._node(parsed) if isinstance(parsed, int) else parsed
        if all(watch.what != what for watch in self.watches):
            self._watch(Watch(what, given))

    def toggle_stop(self, node: int) -> bool:
        """Set a breakpoint on a node, or take it away; whether there is one now.

        Raises:
            Refused: the node is no step.
        """
        what = self._node(node)
        known = next((one for one in self.breakpoints if one.what == what), None)
        if known is None:
            self.breakpoints.append(Breakpoint(what))
        else:
            self.breakpoints.remove(known)
        self.on_change()
        return known is None

    def toggle_watch(self, node: int) -> bool:
        """Watch a node, or watch it no more; whether it is watched now.

        Raises:
            Refused: it has no gradient, or is watched by its name.
        """
        what = self._node(node)
        for watch in self.watches:
            if watch.what == what:
                self.watches.remove(watch)
                self._watched = None
                self.on_change()
                return False
        for watch in self.watches:
            if self.covers(watch.what, node):
                raise Refused(f"{watch.what} is watched; B lists what can be removed")
        self._watch(Watch(what))
        return True

    def remove(self, number: int) -> str:
        """Remove an entry by its number in the list; what it was.

        Raises:
            Refused: there is none of that number.
        """
        entry = self._entry(number)
        if isinstance(entry, Breakpoint):
            self.breakpoints.remove(entry)
        else:
            self.watches.remove(entry)
            self._watched = None
        self.on_change()
        return str(entry.what)

    def switch(self, number: int) -> Breakpoint:
        """Switch a breakpoint off or on by its number in the list.

        Raises:
            Refused: there is none of that number.
        """
        entry = self._entry(number)
        if isinstance(entry, Watch):
            raise Refused(f"{number} is a watch; -{number} removes it")
        entry.enabled = not entry.enabled
        self.on_change()
        return entry

    def _watch(self, watch: Watch) -> None:
        self.watches.append(watch)
        self._watched = None
        self.on_change()

    def _entry(self, number: int) -> Breakpoint | Watch:
        entries: list[Breakpoint | Watch] = [*self.breakpoints, *self.watches]
        return numbered(entries, number)

    def _node(self, node: int) -> OneNode:
        if node >= len(self._graph.nodes):
            raise Refused(f"there is no node {node}; the last one is {len(self._graph.nodes) - 1}")
        if node >= self._graph.step_count:
            raise Refused(f"node {node} needs no grad: it is no step, and has no gradient")
        return one_node(self._graph.nodes, node, self._labels.short(node))

    # Asking

    def find(self, what: OneNode) -> int | None:
        """The number of a node in this graph; None where it is not there."""
        if what not in self._found:
            found = find(self._graph.nodes, what)
            is_step = found is not None and found < self._graph.step_count
            self._found[what] = found if is_step else None
        return self._found[what]

    def covers(self, what: Target, node: int) -> bool:
        """Whether a node is meant."""
        if isinstance(what, OneNode):
            return self.find(what) == node
        if isinstance(what, Operation):
            return matches(self._graph.nodes[node].op or "leaf", what.pattern)
        return matches(self._labels.short(node), what.pattern)

    def is_here(self, what: Target) -> bool:
        """Whether this graph has a step that is meant."""
        if isinstance(what, OneNode):
            return self.find(what) is not None
        return any(self.covers(what, node) for node in range(self._graph.step_count))

    def stop(self, ahead: bool = True) -> Stop | None:
        """Why a run stops where the graph is now; None where it goes on. Before the first step only
        what is asked ahead can stop it.

        Args:
            ahead: whether the next node's breakpoints count; else those of the step just taken do.
        """
        graph, position = self._graph, self._graph.position
        asked, told_ahead = self._ahead
        known = told_ahead if asked == position - 1 else []  # this was said before the step
        after, failed = list[str](), False
        if position:
            after, _, failed = self._holding(graph.taken(position - 1), known)
        at = [one for one in self._at(position if ahead else position - 1) if one.enabled]
        for one in at:
            one.hits += 1
        before = [_said(one) for one in at] if ahead else []
        if not ahead:
            after += [str(one.what) for one in at]
        told_ahead = []
        grad_out = graph.grad(position) if position < graph.step_count else None
        if grad_out is not None:
            coming = StepFacts(position, position, grad_out, (), None, None)
            said, told_ahead, failed_ahead = self._holding(coming, [], ahead=True)
            before, failed = before + said, failed or failed_ahead
        self._ahead = position, told_ahead
        if not after and not before:
            return None
        following = self._labels.short(position) if before else ""
        return Stop(position, tuple(after), tuple(before), following, failed)

    def _holding(
        self, step: StepFacts, without: list[Breakpoint], ahead: bool = False
    ) -> tuple[list[str], list[Breakpoint], bool]:
        """Why conditions hold of a step, which ones, and whether one could not be computed.

        Args:
            step: a step that was taken, or with `ahead` what is known of one before it is.
            without: conditions that are not asked.
            ahead: whether only those that can be asked before the step are.
        """
        said: list[str] = []
        holding_ones: list[Breakpoint] = []
        failed = False
        for one in self.breakpoints:
            if not one.enabled or not isinstance(one.what, Condition) or one in without:
                continue
            if ahead and not one.what.is_asked_ahead:
                continue
            try:
                why = holding.why(one.what, self._graph, self._labels, step)
            except EvaluationError as error:
                why, failed = str(error), True
            if why is not None:
                one.hits += 1
                said.append(why)
                holding_ones.append(one)
        return said, holding_ones, failed

    def mark(self, node: int) -> str:
        """What a node is marked with on the rail: breakpoint, off, watched, both, or nothing."""
        at = self._at(node)
        is_watched = node in self.watched()
        if any(one.enabled for one in at):
            return "both" if is_watched else "breakpoint"
        return "watched" if is_watched else "off" if at else ""

    def watched(self) -> Collection[int]:
        """The nodes that are watched, in the order in which they were asked for."""
        if self._watched is None:
            self._watched = {}
            for watch in self.watches:
                if isinstance(watch.what, OneNode):
                    node = self.find(watch.what)
                    nodes = [] if node is None else [node]
                else:
                    steps = range(self._graph.step_count)
                    nodes = [node for node in steps if self.covers(watch.what, node)]
                self._watched |= dict.fromkeys(nodes)
        return self._watched

    def _at(self, node: int) -> list[Breakpoint]:
        """The breakpoints, no conditions, on a node."""
        if node >= self._graph.step_count:
            return []
        return [
            one
            for one in self.breakpoints
            if not isinstance(one.what, Condition) and self.covers(one.what, node)
        ]


def _said(breakpoint: Breakpoint) -> str:
    return "breakpoint" if isinstance(breakpoint.what, OneNode) else str(breakpoint.what)
