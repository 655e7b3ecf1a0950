"""What a condition consists of, once its text has been checked."""

from __future__ import annotations

from dataclasses import dataclass

NUMBER, TEXT, SHAPE = "number", "text", "shape"
"""What a part of a condition gives: numbers (in an array or alone, truth values too), a text, a
shape."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A number, a text in quotes, a tuple of whole numbers, or several of these to choose from."""

    text: str
    kind: str
    value: float | str | tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Name:
    """Something of the step."""

    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function of one argument."""

    text: str
    function: str
    argument: Tree
    kind: str = NUMBER


@dataclass(frozen=True, slots=True)
class Signed:
    """An argument with a sign before it."""

    text: str
    sign: str
    argument: Tree
    kind: str = NUMBER


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Two arguments with an operator between them."""

    text: str
    left: Tree
    operator: str
    right: Tree
    kind: str = NUMBER


@dataclass(frozen=True, slots=True)
class Comparison:
    """`a < b`, or a chain such as `a < b < c`; one operator fewer than arguments."""

    text: str
    operators: tuple[str, ...]
    arguments: tuple[Tree, ...]
    kind: str = NUMBER


@dataclass(frozen=True, slots=True)
class Choice:
    """`a in (b, c)`, and with `negated` `a not in (b, c)`."""

    text: str
    argument: Tree
    among: tuple[Tree, ...]
    negated: bool
    kind: str = NUMBER


@dataclass(frozen=True, slots=True)
class Junction:
    """Several parts joined by `and` or by `or`."""

    text: str
    word: str
    parts: tuple[Tree, ...]
    kind: str = NUMBER


@dataclass(frozen=True, slots=True)
class Negation:
    """`not a`."""

    text: str
    part: Tree
    kind: str = NUMBER


Tree = Constant | Name | Call | Signed | Arithmetic | Comparison | Choice | Junction | Negation


def names_in(tree: Tree) -> set[str]:
    """The names that a tree mentions."""
    if isinstance(tree, Name):
        return {tree.text}
    return set().union(*(names_in(part) for part in parts_of(tree)))


def parts_of(tree: Tree) -> tuple[Tree, ...]:
    """What a tree is made of, one level down."""
    match tree:
        case Call() | Signed():
            return (tree.argument,)
        case Arithmetic():
            return (tree.left, tree.right)
        case Comparison():
            return tree.arguments
        case Choice():
            return (tree.argument, *tree.among)
        case Junction():
            return tree.parts
        case Negation():
            return (tree.part,)
        case _:
            return ()
