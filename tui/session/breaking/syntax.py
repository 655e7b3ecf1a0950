"""The language of conditions: from a text to a checked tree, or to an error that points at a place.

Python's own parser reads the text; nothing of it is ever run by Python. Only the names, functions
and operators below exist, and each part is checked for what it gives, so that a mistake is told
where it is typed and not in the middle of a run.
"""

from __future__ import annotations

import ast
import difflib
import warnings
from collections.abc import Sequence

from tui.session.breaking.tree import (
    NUMBER,
    SHAPE,
    TEXT,
    Arithmetic,
    Call,
    Choice,
    Comparison,
    Constant,
    Junction,
    Name,
    Negation,
    Signed,
    Tree,
    names_in,
)

NAMES = {
    "grad_out": (NUMBER, "the gradient that comes down to the node"),
    "contribution": (NUMBER, "what an edge brings its parent"),
    "accumulated": (NUMBER, "what the parent has then"),
    "value": (NUMBER, "the node's value"),
    "op": (TEXT, "its operation, leaf for a leaf"),
    "name": (TEXT, "its name, as the rail shows it"),
    "shape": (SHAPE, "its shape"),
    "dtype": (TEXT, "its dtype"),
    "step": (NUMBER, "the number of the step, from 0"),
    "nan": (NUMBER, "NaN anywhere in the gradients of the step"),
    "inf": (NUMBER, "Inf anywhere in them"),
    "zero": (NUMBER, "grad_out or a contribution is 0 throughout"),
    "mismatch": (NUMBER, "a gradient's shape or dtype is not its tensor's"),
    "changed": (NUMBER, "a value was changed in place since the forward pass"),
}
"""What a name gives, and what it is."""

FLAGS = ("nan", "inf", "zero", "mismatch", "changed")
"""The names that say what is wrong with a step by themselves."""

EDGE_NAMES = {"contribution", "accumulated"}
"""A condition with one of these holds where it holds for any of the step's edges."""

FUNCTIONS = ("isnan", "isinf", "norm", "abs", "min", "max", "mean", "any", "all")

LONGEST = 500
"""Characters of a condition."""
DEEPEST = 40
"""Levels of brackets and operators in each other."""

ARITHMETIC = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
}
COMPARISONS = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}

UNFINISHED = ("<", ">", "=", "+", "-", "*", "/", "%", " and", " or", " not", " in")
"""No condition ends so."""


class ExpressionError(ValueError):
    """A text that is no condition.

    Args:
        message: what is wrong, in a line.
        text: the whole text.
        start: the first character that is wrong.
        end: the one after the last that is.
    """

    def __init__(self, message: str, text: str, start: int = 0, end: int | None = None) -> None:
        super().__init__(message)
        self.text = text
        self.start = max(0, min(start, len(text)))
        self.end = max(self.start + 1, len(text) if end is None else min(end, len(text)))

    @property
    def pointer(self) -> str:
        """Blanks and carets that stand under the wrong part of the text."""
        return " " * self.start + "^" * (self.end - self.start)


def parse(text: str) -> Tree:
    """The tree of a condition.

    Raises:
        ExpressionError: it is none.
    """
    if not text.strip():
        raise ExpressionError("a condition is missing, such as norm(grad_out) > 10", text)
    if len(text) > LONGEST:
        raise ExpressionError(
            f"a condition has at most {LONGEST} characters, this one has {len(text)}", text, LONGEST
        )
    blanked = "".join(" " if char.isspace() else char for char in text)
    indent = len(blanked) - len(blanked.lstrip())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body = ast.parse(blanked.strip(), mode="eval").body
    except SyntaxError as error:
        start = indent + (error.offset or 1) - 1
        raise ExpressionError(_syntax(error, blanked, start), text, start, start + 1) from None
    except (ValueError, RecursionError, MemoryError, OverflowError):
        raise ExpressionError("this cannot be read as a condition", text) from None
    reader = _Reader(text, blanked, indent)
    tree = reader.read(body)
    reader.want(tree, NUMBER, body, "a condition compares: add == and what it should be")
    if not names_in(tree):
        raise ExpressionError("this mentions nothing of a step, so it says nothing about it", text)
    return tree


def _syntax(error: SyntaxError, text: str, start: int) -> str:
    rest = text[start:].lstrip()
    for typed, meant in (("&&", "and"), ("||", "or")):
        if rest.startswith(typed[1]) and typed in text:
            return f"write {meant} for {typed}"
    if "!" in text.replace("!=", ""):
        return "write not for !"
    if text.rstrip().endswith(UNFINISHED):
        return "something is missing at the end"
    if "=" in rest[:2] or "'=='" in (error.msg or ""):
        return "write == to compare"
    return f"this cannot be read as a condition ({error.msg})"


class _Reader:
    """From Python's tree to ours."""

    def __init__(self, text: str, blanked: str, indent: int) -> None:
        self._text = text
        self._bytes = blanked.strip().encode(errors="replace")
        self._indent = indent
        self._depth = 0

    def read(self, node: ast.expr) -> Tree:
        """One part and all that is in it."""
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._error(f"this is nested more than {DEEPEST} levels deep", node)
        tree = self._read(node)
        self._depth -= 1
        return tree

    def _read(self, node: ast.expr) -> Tree:
        source = self._source(node)
        match node:
            case ast.Constant():
                return self._constant(node, source)
            case ast.Name():
                return self._name(node, source)
            case ast.Tuple() | ast.List():
                return self._shape(node, source)
            case ast.Call():
                return self._call(node, source)
            case ast.BoolOp():
                word = "and" if isinstance(node.op, ast.And) else "or"
                parts = tuple(self._numbers(part) for part in node.values)
                return Junction(source, word, parts)
            case ast.UnaryOp(op=ast.Not()):
                return Negation(source, self._numbers(node.operand))
            case ast.UnaryOp(op=ast.UAdd() | ast.USub()):
                sign = "-" if isinstance(node.op, ast.USub) else "+"
                return Signed(source, sign, self._numbers(node.operand))
            case ast.BinOp():
                operator = ARITHMETIC.get(type(node.op))
                if operator is None:
                    meant = {ast.BitAnd: "and for &", ast.BitOr: "or for |", ast.BitXor: "** for ^"}
                    hint = meant.get(type(node.op))
                    raise self._error(
                        f"write {hint}" if hint else "there is no such operator", node
                    )
                left, right = self._numbers(node.left), self._numbers(node.right)
                return Arithmetic(source, left, operator, right)
            case ast.Compare():
                return self._comparison(node, source)
            case _:
                raise self._error(
                    "a condition has names, numbers, functions, comparisons, arithmetic, and, or, "
                    "not, and nothing else",
                    node,
                )

    def _constant(self, node: ast.Constant, source: str) -> Tree:
        value = node.value
        if isinstance(value, str):
            return Constant(source, TEXT, value)
        if isinstance(value, (bool, int, float)):
            try:
                return Constant(source, NUMBER, float(value))
            except OverflowError:
                raise self._error("this number is too large", node) from None
        raise self._error("this is neither a number nor a text", node)

    def _name(self, node: ast.Name, source: str) -> Tree:
        if node.id in NAMES:
            return Name(node.id, NAMES[node.id][0])
        if node.id in FUNCTIONS:
            raise self._error(f"{node.id} is a function: {node.id}(grad_out)", node)
        raise self._unknown("name", node.id, node, list(NAMES))

    def _call(self, node: ast.Call, source: str) -> Tree:
        function = node.func
        if not isinstance(function, ast.Name):
            raise self._error("this is no function's name", function)
        if function.id not in FUNCTIONS:
            if function.id in NAMES:
                raise self._error(f"{function.id} is a name, no function", function)
            raise self._unknown("function", function.id, function, list(FUNCTIONS))
        if len(node.args) != 1 or node.keywords or isinstance(node.args[0], ast.Starred):
            raise self._error(f"{function.id} takes one argument", node)
        return Call(source, function.id, self._numbers(node.args[0]))

    def _shape(self, node: ast.Tuple | ast.List, source: str) -> Tree:
        dims = [part.value if isinstance(part, ast.Constant) else None for part in node.elts]
        whole = tuple(dim for dim in dims if type(dim) is int)
        if len(whole) != len(dims):
            raise self._error("a shape has whole numbers, such as (64, 10)", node)
        return Constant(source, SHAPE, whole)

    def _comparison(self, node: ast.Compare, source: str) -> Tree:
        first = node.ops[0]
        if isinstance(first, (ast.In, ast.NotIn)) and len(node.ops) == 1:
            return self._choice(node, source, isinstance(first, ast.NotIn))
        operators = []
        for op in node.ops:
            if type(op) not in COMPARISONS:
                word = {ast.Is: "==", ast.IsNot: "!="}.get(type(op))
                raise self._error(f"write {word}" if word else "write `in` alone", node)
            operators.append(COMPARISONS[type(op)])
        arguments = [self.read(node.left)]
        for operator, python in zip(operators, node.comparators, strict=True):
            self._quoted(arguments[-1], python)
            right = self.read(python)
            self._comparable(arguments[-1], right, operator, node)
            arguments.append(right)
        return Comparison(source, tuple(operators), tuple(arguments))

    def _choice(self, node: ast.Compare, source: str, negated: bool) -> Tree:
        argument, group = self.read(node.left), node.comparators[0]
        if not isinstance(group, (ast.Tuple, ast.List, ast.Set)):
            raise self._error('in takes several to choose from: op in ("add", "matmul")', group)
        among = tuple(self.read(part) for part in group.elts)
        for one in among:
            self._comparable(argument, one, "==", node)
        return Choice(source, argument, among, negated)

    def _comparable(self, left: Tree, right: Tree, operator: str, node: ast.expr) -> None:
        if left.kind != right.kind:
            raise self._error(
                f"{left.text} is {_article(left.kind)}, {right.text} is {_article(right.kind)}: "
                f"they cannot be compared{_quotes(left, right)}",
                node,
            )
        if left.kind != NUMBER and operator not in ("==", "!="):
            raise self._error(f"{_article(left.kind)} is compared with == or !=", node)

    def _quoted(self, left: Tree, right: ast.expr) -> None:
        """Where a text is expected, a word that is no name just lacks its quotes."""
        if left.kind == TEXT and isinstance(right, ast.Name) and right.id not in NAMES:
            raise self._error(f'a text stands in quotes: {left.text} == "{right.id}"', right)

    def want(self, tree: Tree, kind: str, node: ast.expr, otherwise: str) -> Tree:
        """The tree, where it gives what is needed."""
        if tree.kind != kind:
            raise self._error(f"{tree.text} is {_article(tree.kind)}; {otherwise}", node)
        return tree

    def _numbers(self, node: ast.expr) -> Tree:
        return self.want(self.read(node), NUMBER, node, "here numbers are needed")

    def _unknown(
        self, what: str, word: str, node: ast.expr, known: Sequence[str]
    ) -> ExpressionError:
        near = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.6)
        tail = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
        return self._error(f"there is no {what} {word}; {tail}", node)

    def _source(self, node: ast.expr) -> str:
        start, end = self._span(node)
        return self._text[start:end]

    def _error(self, message: str, node: ast.expr) -> ExpressionError:
        return ExpressionError(message, self._text, *self._span(node))

    def _span(self, node: ast.expr) -> tuple[int, int]:
        """Where a part stands in the text; Python counts in bytes."""
        start, end = node.col_offset, node.end_col_offset or node.col_offset + 1
        first = len(self._bytes[:start].decode(errors="replace"))
        last = len(self._bytes[:end].decode(errors="replace"))
        return self._indent + first, self._indent + last


def _article(kind: str) -> str:
    return {TEXT: "a text", SHAPE: "a shape", NUMBER: "a number or an array"}[kind]


def _quotes(left: Tree, right: Tree) -> str:
    """A hint for a text that lacks its quotes, or a shape its brackets."""
    if SHAPE in (left.kind, right.kind):
        return "; a shape is written (64, 10), (3,) or ()"
    if TEXT in (left.kind, right.kind):
        return '; a text stands in quotes: "matmul"'
    return ""
