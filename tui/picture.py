"""The picture of a screen as SVG that looks the same in every viewer, and fetches nothing."""

from __future__ import annotations

import html
import re

from rich.cells import cell_len

_ELEMENT = re.compile(
    r'<text (class="[^"]*") x="([\d.]+)" y="([\d.]+)" textLength="([\d.]+)"([^>]*)>(.*?)</text>'
)

_FROM_THE_NET = re.compile(r',\s*url\("https?:[^)]*\)\s*format\("[^"]*"\)')
"""Where a font could be fetched from."""

_PHRASE = re.compile(r"[^\xa0 ]+(?:[\xa0 ][^\xa0 ]+)*")
"""Words with single blanks between them."""


def placed(svg: str) -> str:
    """The SVG that Rich exports, with each phrase at its own place.

    Rich writes a line's blanks as text, which some viewers leave out at the beginning and draw
    narrower elsewhere: columns do not stand below each other then.
    """
    return _ELEMENT.sub(_phrases, _FROM_THE_NET.sub("", svg))


def _phrases(element: re.Match[str]) -> str:
    style, x, y, length, rest, content = element.groups()
    text = html.unescape(content)
    cell = float(length) / max(1, cell_len(text))
    parts = []
    for phrase in _PHRASE.finditer(text):
        start = float(x) + cell * cell_len(text[: phrase.start()])
        width = cell * cell_len(phrase[0])
        words = html.escape(phrase[0].replace(" ", "\xa0")).replace("\xa0", "&#160;")
        parts.append(
            f'<text {style} x="{start:.1f}" y="{y}" textLength="{width:.1f}"{rest}>{words}</text>'
        )
    return "".join(parts)
