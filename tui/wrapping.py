"""Breaking a paragraph into lines, by the cells that its characters take in a terminal."""

from __future__ import annotations

from rich.cells import cell_len


def wrap(text: str, width: int, indent: str = "") -> list[str]:
    """The words of a paragraph in lines of at most `width` cells; longer words are cut."""
    lines: list[str] = []
    current = text[: len(text) - len(text.lstrip())]
    for word in text.split():
        while cell_len(word) > max(1, width - len(indent)):
            room = max(1, width - len(indent))
            if current.strip():
                lines.append(current.rstrip())
            head = _fitting(word, room)
            lines.append((indent if lines else "") + head)
            word, current = word[len(head) :], indent
        candidate = f"{current}{word}" if not current.strip() else f"{current} {word}"
        if cell_len(candidate) > width and current.strip():
            lines.append(current.rstrip())
            current = indent + word
        else:
            current = candidate
    if current.strip():
        lines.append(current)
    return lines


def _fitting(word: str, width: int) -> str:
    """As much of the beginning of a word as fits into so many cells, at least a character."""
    end = used = 0
    for end, char in enumerate(word):
        used += cell_len(char)
        if used > width:
            return word[: max(1, end)]
    return word
