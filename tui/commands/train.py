"""`bp-tui SCENARIO --train`: the training, with a progress bar or as JSON."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import TextIO

import engine
from tui.commands.ending_signals import EndingSignals, ending_signals
from tui.commands.output import FetchProgress, json_line
from tui.errors import ScenarioError
from tui.loading import loader
from tui.options import Options
from tui.session.numbers import number
from tui.session.training.metrics import event_facts
from tui.session.training.run_folder import NotKept, RunFolder


def train(options: Options, as_json: bool, out: TextIO) -> int:
    """Run the training to its end, written to `out`; returns the exit code.

    Where it is kept in a folder (`options.out`), SIGINT, SIGTERM and SIGHUP end it in order after
    the batch under way, with exit code 128 and the signal's number.

    Raises:
        ScenarioError: the scenario cannot be used, or has no training; or it cannot be kept.
        KeyboardInterrupt: the user gave up.
    """
    scenario = loader.load(options, FetchProgress())
    training = scenario.training
    if training is None:
        raise ScenarioError(
            "there is nothing to train: the scenario leaves no `training` (see --list for one "
            "that does: mlp)",
            str(scenario.path),
        )
    if options.out is None:
        _show(training, loader.guarded_events(scenario.path, training), as_json, out)
        return 0
    with contextlib.closing(RunFolder(scenario, options)) as run:
        for note in run.notes:
            _say(note)
        with ending_signals(_say) as signals:
            return _train_kept(scenario, run, signals, as_json, out)


def _train_kept(
    scenario: loader.Scenario, run: RunFolder, signals: EndingSignals, as_json: bool, out: TextIO
) -> int:
    training = run.training
    whole = True
    """Whether no batch is half done."""

    def events() -> Iterator[engine.Event]:
        nonlocal whole
        while not training.finished and not signals.number:
            whole = False
            with loader.guarded(scenario.path):
                happened = training.advance()
            whole = True
            run.record(happened)
            yield from happened
        if not signals.number:
            yield training.end()

    try:
        _show(training, events(), as_json, out)
    except NotKept as problem:
        raise ScenarioError(f"{problem}; make that possible, then: {run.how_to_resume}") from None
    except BaseException as error:
        # The reader of the output may have gone, or the terminal, or the user is impatient.
        with contextlib.suppress(NotKept):
            if whole and run.saved_at < training.position:
                run.save()
        if run.saved_at:
            _say_where(run)
        if signals.number and isinstance(error, OSError | KeyboardInterrupt):
            return 128 + signals.number
        raise
    if not signals.number:
        _say_where(run)
        return 0
    try:
        run.save()
    except NotKept as problem:
        raise ScenarioError(f"{problem}; to go on from there: {run.how_to_resume}") from None
    _say_where(run)
    return 128 + signals.number


def _say_where(run: RunFolder) -> None:
    at = f"at batch {run.saved_at} of {run.training.total_batches}"
    if run.saved_at == run.training.total_batches:
        _say(f"the training is kept in {run.folder}")
    else:
        _say(f"the training is kept {at}; go on with: {run.how_to_resume} --train")


def _say(text: str) -> None:
    with contextlib.suppress(OSError):  # the terminal may have gone
        print(f"bp-tui: {text}", file=sys.stderr, flush=True)


def _show(
    training: engine.Training, events: Iterator[engine.Event], as_json: bool, out: TextIO
) -> None:
    if as_json:
        for event in events:
            json_line(event_facts(event), out)
    else:
        _with_progress_bar(training, events, out)


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
    for result in training.results:  # of a training that is gone on with
        print(_epoch_row(result), file=out, flush=True)
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
        task = progress.add_task(
            "training", total=training.total_batches, completed=training.position, loss=""
        )
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
