"""What is remembered of a scenario between runs: a file under the user's state directory."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

from tui import files
from tui.errors import Refused
from tui.session.breaking.breakpoints import Breakpoint, Breakpoints, Watch
from tui.session.breaking.condition import Condition
from tui.session.breaking.entries import parse_stop, parse_watch
from tui.session.breaking.targets import OneNode, Target
from tui.session.training.breaks import AtBatch, Break, Breaks, OfLoss, What, parse

VERSION = 1


class Memory:
    """The breakpoints and watches of one scenario, and where its training stops, on the disk.

    Args:
        scenario: its file; what it resolves to is what they are remembered for.
    """

    def __init__(self, scenario: Path) -> None:
        self._scenario = str(scenario.resolve())
        key = zlib.crc32(self._scenario.encode(errors="surrogateescape"))
        self.file = files.state_file(f"{scenario.stem[:40]}-{key:08x}.json")
        self._has_complained = False

    def recall(self, breakpoints: Breakpoints, breaks: Breaks) -> str | None:
        """Add what is remembered; what is wrong with the file, None where nothing is."""
        try:
            stops, watches, of_training = _read(files.recall(self.file))
        except FileNotFoundError:
            return None
        except OSError as error:
            return f"breakpoints are not remembered: {self.file}: {error.strerror}"
        except (files.Damaged, Refused, ValueError, KeyError, TypeError, AttributeError):
            return (
                f"breakpoints are not remembered: {self.file} is damaged; the next one replaces it"
            )
        breakpoints.breakpoints += stops
        breakpoints.watches += watches
        breaks.entries += of_training
        return None

    def keep(self, breakpoints: Breakpoints, breaks: Breaks) -> str | None:
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
            "breaks": [{**_written(one.what), "enabled": one.enabled} for one in breaks.entries],
        }
        try:
            files.remember(self.file, content)
        except OSError as error:
            if self._has_complained:
                return None
            self._has_complained = True
            return f"this is not remembered: {self.file.parent}: {error.strerror}"
        return None


def _written(what: What) -> dict[str, Any]:
    if isinstance(what, AtBatch | OfLoss):
        return {"of_training": what.typed}
    if isinstance(what, OneNode):
        node = {"name": what.name, "path": what.path, "op": what.op, "nth": what.nth}
        return {"node": node, "called": what.called}
    return {"text": str(what)}


def _read(content: Any) -> tuple[list[Breakpoint], list[Watch], list[Break]]:
    """What a file holds.

    Raises:
        Refused, ValueError, KeyError, TypeError, AttributeError: it is none of ours.
    """
    if content["version"] != VERSION:
        raise ValueError("another version wrote it")
    stops = [Breakpoint(_stop(one), bool(one["enabled"])) for one in content["breakpoints"]]
    watches = []
    for entry in content["watches"]:
        target = _node(entry) if "node" in entry else parse_watch(entry["text"])
        if isinstance(target, int):
            raise ValueError("a number means another node in another graph")
        watches.append(Watch(target))
    # A file of earlier has none.
    breaks = [Break(_break(one), bool(one["enabled"])) for one in content.get("breaks", [])]
    return stops, watches, breaks


def _break(entry: dict[str, Any]) -> What:
    if "of_training" not in entry:
        return _stop(entry)
    what = parse(entry["of_training"])
    if not isinstance(what, AtBatch | OfLoss):
        raise ValueError("this is about a pass")
    return what


def _stop(entry: dict[str, Any]) -> Target | Condition:
    what = _node(entry) if "node" in entry else parse_stop(entry["text"])
    if isinstance(what, int):
        raise ValueError("a number means another node in another graph")
    return what


def _node(entry: dict[str, Any]) -> OneNode:
    node, called = entry["node"], entry["called"]
    texts = (node["name"], node["path"], node["op"])
    if not all(text is None or isinstance(text, str) for text in texts):
        raise TypeError("a name is a text")
    if type(node["nth"]) is not int or not isinstance(called, str):
        raise TypeError("which of these is a number")
    return OneNode(*texts, node["nth"], called)
