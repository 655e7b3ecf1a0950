"""What is remembered of a scenario between runs: a file under the user's state directory."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

from tui import files
from tui.session.breaking.breakpoints import Breakpoint, Breakpoints, Watch
from tui.session.breaking.condition import Condition
from tui.session.breaking.entries import parse_stop, parse_watch
from tui.session.breaking.targets import OneNode, Target

VERSION = 1


class Memory:
    """The breakpoints and watches of one scenario, on the disk.

    Args:
        scenario: its file; what it resolves to is what they are remembered for.
    """

    def __init__(self, scenario: Path) -> None:
        self._scenario = str(scenario.resolve())
        key = zlib.crc32(self._scenario.encode(errors="surrogateescape"))
        self.file = files.state_file(f"{scenario.stem[:40]}-{key:08x}.json")
        self._has_complained = False

    def recall(self, breakpoints: Breakpoints) -> str | None:
        """Add what is remembered; what is wrong with the file, None where nothing is."""
        try:
            stops, watches = _read(files.recall(self.file))
        except FileNotFoundError:
            return None
        except OSError as error:
            return f"breakpoints are not remembered: {self.file}: {error.strerror}"
        except (files.Damaged, ValueError, KeyError, TypeError, AttributeError):
            return (
                f"breakpoints are not remembered: {self.file} is damaged; the next one replaces it"
            )
        breakpoints.breakpoints += stops
        breakpoints.watches += watches
        return None

    def keep(self, breakpoints: Breakpoints) -> str | None:
        """Write what is to be remembered, wholly or not at all; what prevents it, told once."""
        content = {
            "version": VERSION,
            "scenario": self._scenario,
            "breakpoints": [
                {**_written(one.what), "enabled": one.enabled}
                for one in breakpoints.breakpoints
                if not one.given
            ],
            "watches": [_written(one.what) for one in breakpoints.watches if not one.given],
        }
        try:
            files.remember(self.file, content)
        except OSError as error:
            if self._has_complained:
                return None
            self._has_complained = True
            return f"this is not remembered: {self.file.parent}: {error.strerror}"
        return None


def _written(what: Target | Condition) -> dict[str, Any]:
    if isinstance(what, OneNode):
        node = {"name": what.name, "path": what.path, "op": what.op, "nth": what.nth}
        return {"node": node, "called": what.called}
    return {"text": str(what)}


def _read(content: Any) -> tuple[list[Breakpoint], list[Watch]]:
    """What a file holds.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: it is none of ours.
    """
    if content["version"] != VERSION:
        raise ValueError("another version wrote it")
    stops = []
    for entry in content["breakpoints"]:
        what = _node(entry) if "node" in entry else parse_stop(entry["text"])
        if isinstance(what, int):
            raise ValueError("a number means another node in another graph")
        stops.append(Breakpoint(what, enabled=bool(entry["enabled"])))
    watches = []
    for entry in content["watches"]:
        target = _node(entry) if "node" in entry else parse_watch(entry["text"])
        if isinstance(target, int):
            raise ValueError("a number means another node in another graph")
        watches.append(Watch(target))
    return stops, watches


def _node(entry: dict[str, Any]) -> OneNode:
    node, called = entry["node"], entry["called"]
    texts = (node["name"], node["path"], node["op"])
    if not all(text is None or isinstance(text, str) for text in texts):
        raise TypeError("a name is a text")
    if type(node["nth"]) is not int or not isinstance(called, str):
        raise TypeError("which of these is a number")
    return OneNode(*texts, node["nth"], called)
