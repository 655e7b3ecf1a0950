"""What --out and --resume find in a folder, and how a run that is gone on with was started.

Nothing here needs NumPy: it is asked before there is a screen.
"""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

from tui.errors import ScenarioError
from tui.loading import catalog
from tui.options import DATA, Options
from tui.session.training import checkpoint_file
from tui.session.training.checkpoint_file import unusable

METRICS = "metrics.jsonl"
"""The file of the events, beside the checkpoint."""

ANOTHER = "that would be another training"


def is_free(folder: Path) -> bool:
    """Whether a folder holds no training yet; one of which no batch was trained on counts as none.

    Raises:
        ScenarioError: there is a checkpoint that cannot be used.
    """
    path = folder / checkpoint_file.NAME
    if os.path.lexists(path):
        return checkpoint_file.read_header(path).get("position") == 0
    metrics = folder / METRICS
    return not metrics.exists() or metrics.stat().st_size == 0


def check_new(folder: Path) -> None:
    """Refuse to start a training where there is one already.

    Raises:
        ScenarioError: the folder holds one, or is none.
    """
    if os.path.lexists(folder) and not folder.is_dir():
        raise ScenarioError("this is no folder; --out names the folder to keep it in", str(folder))
    try:
        free = is_free(folder)
    except (ScenarioError, OSError):
        free = False
    if not free:
        raise ScenarioError(
            "this folder holds a training already: --resume goes on with it; for another one name "
            "another folder",
            str(folder),
        )


def options_of_run(folder: Path, given: Any) -> Options:
    """How the training in a folder was started, as far as the command line may not change it.

    Args:
        folder: where it is kept.
        given: the command line, with None for what was not given.

    Raises:
        ScenarioError: there is none, or the command line asks for another one.
    """
    path = folder / checkpoint_file.NAME
    header = checkpoint_file.read_header(path)
    try:
        run: dict[str, Any] = header["run"]
        every = header["checkpoint_every"]
        options = Options(
            scenario=str(run["scenario"]),
            seed=_whole(run["seed"], 0),
            data=DATA[DATA.index(run["data"])],
            data_dir=None if run["data_dir"] is None else str(run["data_dir"]),
            batch_size=_whole(header["batch_size"]),
            epochs=_whole(header["epochs"]),
            lr=None if run["lr"] is None else float(run["lr"]),
            out=str(folder),
            checkpoint_every=None if every is None else _whole(every),
        )
        start_lr = float(run["start_lr"])
        file = str(run["file"])
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise unusable(path, f"its header is not what it has to be ({error})") from None
    for name, value, there in (
        ("--seed", given.seed, options.seed),
        ("--batch-size", given.batch_size, options.batch_size),
        ("--lr", given.lr, start_lr),
    ):
        if value is not None and value != there:
            raise _another(folder, f"it was started with {name} {there}, not {value}")
    if given.epochs is not None and given.epochs < options.epochs:
        raise ScenarioError(
            f"this training has {options.epochs} epochs; --epochs can make them more, not fewer",
            str(folder),
        )
    return dataclasses.replace(
        options,
        scenario=_scenario(folder, options.scenario, file, given.scenario),
        epochs=given.epochs or options.epochs,
        data=given.data or options.data,
        data_dir=given.data_dir or options.data_dir,
        checkpoint_every=given.checkpoint_every or options.checkpoint_every,
    )


def _scenario(folder: Path, kept: str, file: str, given: str | None) -> str:
    """The scenario that is to be loaded: the one of the run, though it may lie elsewhere now."""
    if given is not None:
        if catalog.find(given).name != file:
            raise _another(folder, f"it is one of {file}, not of {given}")
        return given
    try:
        catalog.find(kept)
    except ScenarioError:
        raise ScenarioError(
            f"the scenario of this training is not where it was ({kept}); if it lies elsewhere "
            f"now, name it: bp-tui {file} --resume ...",
            str(folder),
        ) from None
    return kept


def _whole(value: Any, least: int = 1) -> int:
    number = int(value)
    if number < least:
        raise ValueError(f"{value!r} is no whole number from {least}")
    return number


def _another(folder: Path, why: str) -> ScenarioError:
    return ScenarioError(f"{ANOTHER}: {why}; leave that out, or start anew with --out", str(folder))
