"""The events of a training as JSON, and the file of them, an event a line."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import engine
from tui.errors import ScenarioError
from tui.session.facts import plain

try:
    import fcntl
except ImportError:  # no Unix
    fcntl = None  # type: ignore[assignment]

Json = dict[str, Any]

EVENT_NAMES = {
    engine.BatchDone: "batch",
    engine.EpochDone: "epoch",
    engine.TrainingDone: "end",
}


def event_facts(event: engine.Event) -> Json:
    """An event of a training as a JSON object."""
    fields = {key: plain(value) for key, value in asdict(event).items()}
    return {"event": EVENT_NAMES[type(event)], **fields}


def line_of(facts: Json) -> bytes:
    """An event's JSON object as a line."""
    return json.dumps(facts, allow_nan=False).encode() + b"\n"


def events_so_far(training: engine.Training) -> Iterator[Json]:
    """All events of a training up to where it is. When a batch was done is known no more: its
    `seconds` are None."""
    results = {result.epoch: result for result in training.results}
    for i, loss in enumerate(training.losses):
        epoch, batch = divmod(i, training.batches_per_epoch)
        done = engine.BatchDone(epoch + 1, i + 1, loss, 0.0)
        yield {**event_facts(done), "seconds": None}
        if batch == training.batches_per_epoch - 1 and epoch + 1 in results:
            yield event_facts(results[epoch + 1])
    if training.finished:
        yield event_facts(training.end())


class MetricsFile:
    """A file of events that is added to, and cut where the training goes back.

    It is locked as long as it is open, so that no two programs write to it.

    Args:
        path: the file; made where there is none.

    Raises:
        OSError: it cannot be opened.
        ScenarioError: another program has it open.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ends: list[int] = []
        """For each line how long the file is with it."""
        self._open()

    def restore(self, events: Iterable[Json]) -> int:
        """Let the file hold these events; the lines that tell of them already stay, with their
        `seconds`. How many lines had to be made again without them."""
        os.lseek(self._file, 0, os.SEEK_SET)
        with open(self._file, "rb", closefd=False) as file:
            lines = iter(file.readlines())
        self._ends = []
        end = made = 0
        missing = b""
        for event in events:
            line = b"" if missing else next(lines, b"")
            if not _tells_of(line, event):
                made += event["seconds"] is None
                line = line_of(event)
                missing += line
            end += len(line)
            self._ends.append(end)
        self._cut_to(end - len(missing))
        self._write(missing)
        return made

    def append(self, facts: Json) -> None:
        """Add an event."""
        line = line_of(facts)
        self._write(line)
        self._ends.append(self._length + len(line))

    def cut(self, lines: int) -> None:
        """Drop all but so many lines."""
        if lines < len(self._ends):
            del self._ends[lines:]
            self._cut_to(self._length)

    def sync(self) -> None:
        """Have on the disk what was written."""
        os.fsync(self._file)

    def reopen_where_lost(self) -> None:
        """Open the file anew where the one under its name is another one, or none."""
        try:
            is_there = os.path.samestat(os.stat(self._path), os.fstat(self._file))
        except FileNotFoundError:
            is_there = False
        if not is_there:
            self.close()
            self._open()

    def close(self) -> None:
        """Close it, and let others have it."""
        with contextlib.suppress(OSError):
            os.close(self._file)

    @property
    def _length(self) -> int:
        return self._ends[-1] if self._ends else 0

    def _open(self) -> None:
        # Without buffers: each line is there as soon as it was written.
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            if fcntl is not None:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.close()
            raise ScenarioError(
                "another bp-tui is keeping its training in this folder; end that one first, or "
                "name another folder",
                str(self._path.parent),
            ) from None
        except OSError:  # a file system without locks
            pass

    def _cut_to(self, length: int) -> None:
        os.ftruncate(self._file, length)
        os.lseek(self._file, length, os.SEEK_SET)

    def _write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._file, data) :]


def _tells_of(line: bytes, event: Json) -> bool:
    """Whether a line of the file is this event's, but for the seconds."""
    if not line.endswith(b"\n"):
        return False
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and {**found, "seconds": None} == {**event, "seconds": None}
