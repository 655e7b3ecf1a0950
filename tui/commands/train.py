"""`bp-tui SCENARIO --train`: the training, with a progress bar or as JSON."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, TextIO

import engine
from tui import loader
from tui.commands.output import FetchProgress, json_line
from tui.errors import ScenarioError
from tui.options import Options
from tui.session.facts import plain
from tui.session.numbers import number

EVENT_NAMES = {
    engine.BatchDone: "batch",
    engine.EpochDone: "epoch",
    engine.TrainingDone: "end",
}


def event_facts(event: engine.Event) -> dict[str, Any]:
    """An event of a training as a JSON object."""
    fields = {key: plain(value) for key, value in asdict(event).items()}
    return {"event": EVENT_NAMES[type(event)], **fields}


def train(options: Options, as_json: bool, out: TextIO) -> int:
    """Run the training to its end, written to `out`; returns the exit code.

    Raises:
        ScenarioError: the scenario cannot be used, or has no training.
    """
    scenario = loader.load(options, FetchProgress())
    training = scenario.training
    if training is None:
        raise ScenarioError(
            "there is nothing to train: the scenario leaves no `training` (see --list for one "
            "that does: mlp)",
            str(scenario.path),
        )
    events = loader.guarded_events(scenario.path, training)
    if as_json:
        for event in events:
            json_line(event_facts(event), out)
    else:
        _with_progress_bar(training, events, out)
    return 0


def _with_progress_bar(
    training: engine.Training, events: Iterator[engine.Event], out: TextIO
) -> None:
    from rich.console import Console
    from rich.file_proxy import FileProxy
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    print(
        f"{training.total_batches} batches in {training.epochs} epochs, batch size "
        f"{training.batch_size}, {type(training.optimizer).__name__} with learning rate "
        f"{number(training.optimizer.lr)}",
        file=out,
    )
    print("epoch  train loss  test loss  test accuracy  seconds", file=out, flush=True)
    console = Console(file=sys.stderr)
    progress = Progress(
        TextColumn("batch"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("loss {task.fields[loss]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        redirect_stderr=False,
        transient=True,
    )
    # On one terminal the rows stand above the bar, as does what the scenario prints.
    rows = FileProxy(console, out) if console.is_interactive and out.isatty() else out
    with progress if console.is_interactive else contextlib.nullcontext():
        task = progress.add_task("training", total=training.total_batches, loss="")
        for event in events:
            if isinstance(event, engine.BatchDone):
                progress.update(task, completed=event.batch, loss=number(event.loss))
            elif isinstance(event, engine.EpochDone):
                print(_epoch_row(event), file=rows, flush=True)


def _epoch_row(event: engine.EpochDone) -> str:
    test_loss = "" if event.test_loss is None else number(event.test_loss)
    accuracy = "" if event.test_accuracy is None else f"{event.test_accuracy:.1%}"
    return (
        f"{event.epoch:>5}  {number(event.train_loss):>10}  {test_loss:>9}  {accuracy:>13}  "
        f"{event.seconds:>7.1f}"
    )
