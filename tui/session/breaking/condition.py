"""A condition on what a step produces, as it was typed."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from tui.session.breaking.syntax import EDGE_NAMES, parse
from tui.session.breaking.tree import Tree, names_in


@dataclass(frozen=True)
class Condition:
    """A condition, such as `norm(contribution) > 10 and op == "matmul"`.

    Raises:
        ExpressionError: the text is none.
    """

    text: str
    tree: Tree = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tree", parse(self.text))

    @cached_property
    def is_of_edges(self) -> bool:
        """Whether it mentions what only an edge has, so that it is asked of each edge."""
        return not EDGE_NAMES.isdisjoint(names_in(self.tree))

    @cached_property
    def is_asked_ahead(self) -> bool:
        """Whether it is asked of a node before its step: an engine may refuse a step that would
        use a value that was changed."""
        return not self.is_of_edges and "changed" in names_in(self.tree)

    def __str__(self) -> str:
        return self.text
