"""`bp-tui SCENARIO --train`: the training, with a progress bar or as JSON."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Any

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


def train(options: Options, as_json: bool) -> int:
    """Run the training to its end; returns the exit code.

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
            json_line(event_facts(event))
    else:
        _with_progress_bar(training, events)
    return 0


def _print_table(
    training: engine.Training, events: Iterator[engine.Event], out: TextIO
) -> None:
    print(
        f"{training.total_batches} batches in {training.epochs} epochs, batch size "
        f"{training.batch_size}, {type(training.optimizer).__name__} with learning rate "
        f"{number(training.optimizer.lr)}",
        file=out,
    )
    print("epoch  train loss  test loss  test accuracy  seconds", file=out, flush=True)
    if sys.stderr.isatty():
        events = _with_progress_bar(training, events)
    for event in events:
        if isinstance(event, engine.EpochDone):
            print(_epoch_row(event), file=out, flush=True)


def _epoch_row(event: engine.EpochDone) -> str:
    test_loss = "" if event.test_loss is None else number(event.test_loss)
    accuracy = "" if event.test_accuracy is None else f"{event.test_accuracy:.1%}"
    return (
        f"{event.epoch:>5}  {number(event.train_loss):>10}  {test_loss:>9}  {accuracy:>13}  "
        f"{event.seconds:>7.1f}"
    )
