"""What is typed to say which elements of a tensor are meant."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from tui.errors import Refused
from tui.session import numbers

NUMBER = r"[+-]?\d{1,18}"
INTEGER = re.compile(NUMBER, re.ASCII)
RANGE = re.compile(rf"({NUMBER})?\s*:\s*({NUMBER})?\s*(?::\s*({NUMBER})?)?", re.ASCII)

Index = tuple[int, ...]


@dataclass(frozen=True)
class Slice:
    """The part of a tensor that is shown: for each dimension one place, or a range of places."""

    shape: Index
    """The tensor's."""
    parts: tuple[int | range, ...]

    @property
    def index(self) -> tuple[int | slice, ...]:
        """As NumPy takes it."""
        return tuple(part if isinstance(part, int) else _as_slice(part) for part in self.parts)

    @property
    def is_all(self) -> bool:
        """Whether nothing is left out."""
        return all(
            part == range(length) for part, length in zip(self.parts, self.shape, strict=True)
        )

    @property
    def text(self) -> str:
        """As one types it: `[0, :, 3:7]`."""
        return "[" + ", ".join(map(_part_text, self.parts, self.shape)) + "]"

    def place(self, inner: Index) -> Index:
        """The index in the tensor of an element of the slice."""
        inside = iter(inner)
        return tuple(part if isinstance(part, int) else part[next(inside)] for part in self.parts)

    def inner(self, place: Index) -> Index | None:
        """The index in the slice of an element of the tensor; None where it is not in it."""
        found = []
        for part, at in zip(self.parts, place, strict=True):
            if isinstance(part, int):
                if part != at:
                    return None
            elif at in part:
                found.append(part.index(at))
            else:
                return None
        return tuple(found)


def whole(shape: Index) -> Slice:
    """All of a tensor."""
    return Slice(shape, tuple(range(length) for length in shape))


def parse(text: str, shape: Index) -> Slice:
    """A slice as NumPy reads it, of places, ranges and one `...`, with or without brackets.

    Raises:
        Refused: it is none, does not fit the shape, or takes no element.
    """
    typed = _split(text)
    dots = typed.count("...")
    if dots > 1:
        raise Refused("only one ... can stand for the dimensions left out")
    given = len(typed) - dots
    if given > len(shape):
        raise Refused(f"{given} parts, but {numbers.shape(shape)} has {_dimensions(len(shape))}")
    at = typed.index("...") if dots else len(typed)
    spread = [":"] * (len(shape) - given)
    typed = [*typed[:at], *spread, *typed[at + dots :]]
    return Slice(shape, tuple(_part(part, axis, shape) for axis, part in enumerate(typed)))


def parse_index(text: str, shape: Index) -> Index:
    """The place of one element: `3, 17`.

    Raises:
        Refused: it is none, or is outside the shape.
    """
    typed = _split(text)
    if len(typed) == 1 and len(shape) > 1:
        typed = typed[0].split()
    if len(typed) != len(shape):
        if not shape:
            raise Refused("this tensor is one number: there is nowhere to go")
        has = f"{numbers.shape(shape)} has {_dimensions(len(shape))}"
        raise Refused(f"{has}: type as many numbers, as {', '.join('0' for _ in shape)}")
    for part in typed:
        if not INTEGER.fullmatch(part):
            raise Refused(f"{_typed(part)} is no whole number")
    return tuple(_place(int(part), axis, shape) for axis, part in enumerate(typed))


def parse_interval(text: str) -> tuple[float, float] | None:
    """A range of values, `0.1 to 0.5`, `0.1:0.5`, `> 0.5` or `<= -1`; None for nothing typed.

    Returns:
        The smallest and the largest value that are meant.

    Raises:
        Refused: it is none.
    """
    text = text.strip().strip("[]").strip()
    if not text:
        return None
    sign = re.match(r"[<>]=?", text)
    if sign:
        bound = _number(text[sign.end() :])
        if sign.group() == ">":
            return math.nextafter(bound, math.inf), math.inf
        if sign.group() == "<":
            return -math.inf, math.nextafter(bound, -math.inf)
        return (bound, math.inf) if sign.group() == ">=" else (-math.inf, bound)
    ends = re.split(r"\s*(?:\bto\b|\.\.|:|,)\s*|\s+", text)
    if len(ends) == 1:
        return _number(ends[0]), _number(ends[0])
    if len(ends) != 2 or not any(ends):
        raise Refused("a range of values is meant, as 0.1 to 0.5, or > 0.5")
    low = _number(ends[0]) if ends[0] else -math.inf
    high = _number(ends[1]) if ends[1] else math.inf
    if low > high:
        raise Refused(f"{ends[0]} is more than {ends[1]}: the smaller one comes first")
    return low, high


def index_text(place: Index) -> str:
    """The place of an element, as it is typed."""
    return "[" + ", ".join(map(str, place)) + "]"


def _split(text: str) -> list[str]:
    """The parts between the commas, without the brackets around them."""
    text = text.strip()
    if text.startswith("[") != text.endswith("]"):
        raise Refused("a bracket is missing")
    if text.startswith("["):
        text = text[1:-1].strip()
    if not text:
        return []
    return [part.strip() for part in text.removesuffix(",").split(",")]


def _part(text: str, axis: int, shape: Index) -> int | range:
    if INTEGER.fullmatch(text):
        return _place(int(text), axis, shape)
    match = RANGE.fullmatch(text)
    if match is None:
        raise Refused(f"{_typed(text)} for dimension {axis}: a place, a range as 3:7, or :")
    start, stop, step = (None if part is None else int(part) for part in match.groups())
    if step == 0:
        raise Refused(f"{text!r} for dimension {axis}: a step of 0 leads nowhere")
    length = shape[axis]
    taken = range(*slice(start, stop, step).indices(length))
    if not taken and length:
        raise Refused(f"dimension {axis} has {_elements(length)}, {text} takes none of them")
    return taken


def _place(at: int, axis: int, shape: Index) -> int:
    length = shape[axis]
    if not -length <= at < length:
        last = f", 0 to {length - 1}" if length else ""
        raise Refused(f"dimension {axis} has {_elements(length)}{last}: {at} is beyond")
    return at % length


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise Refused(f"{_typed(text.strip())} is no number") from None
    if math.isnan(value):
        raise Refused("NaN is in no range of values; x goes to the next NaN")
    return value


def _typed(text: str) -> str:
    return repr(text) if text else "nothing"


def _as_slice(part: range) -> slice:
    """A slice that takes these places; one that goes down to 0 has no end that could be named."""
    return slice(part.start, part.stop if part.stop >= 0 else None, part.step)


def _part_text(part: int | range, length: int) -> str:
    if isinstance(part, int):
        return str(part)
    if part == range(length):
        return ":"
    start = "" if part.start == (0 if part.step > 0 else length - 1) else str(part.start)
    stop = "" if part.stop in (-1, length) else str(part.stop)
    return f"{start}:{stop}" + (f":{part.step}" if part.step != 1 else "")


def _elements(count: int) -> str:
    return f"{count} element" + ("s" if count != 1 else "")


def _dimensions(count: int) -> str:
    return f"{count} dimension" + ("s" if count != 1 else "")
