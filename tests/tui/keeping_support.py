"""A session whose training is kept in a folder, and what lies in that folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tui_support import REGRESSION, load

from tui.options import Options
from tui.session.training import checkpoint_file, metrics
from tui.session.training.run_folder import RunFolder
from tui.session.training.session import TrainingSession

DRAWING = REGRESSION + (
    "import random\n"
    "training.optimizer = Adam(model.parameters(), 0.01)\n"
    "def noisy(out, y):\n"
    "    noise = np.random.standard_normal(out.shape) * random.random()\n"
    "    return mean_square(out + Tensor(noise) + Tensor(np.zeros(1)).uniform_(-1, 1), y)\n"
    "training.loss_fn = noisy\n"
    "np.random.seed(1); random.seed(2)\n"
)
"""Six batches in two epochs, that draw from all generators."""


class Kept:
    """A session whose training is kept in a folder."""

    def __init__(self, scenario: Path, out: Path, **options: Any) -> None:
        loaded = load(scenario, out=str(out), **options)
        assert loaded.training is not None
        self.session = TrainingSession(loaded.training)
        given = {"data": "embedded", **options}
        self.run = RunFolder(loaded, Options(str(scenario), out=str(out), **given))
        self.session.keep_in(self.run)

    def batches(self, count: int) -> None:
        """Train on so many batches."""
        for _ in range(count):
            self.session.one_batch()

    def said(self) -> list[str]:
        """What was said in lines."""
        return [message["text"] for message in self.session.messages]

    def leave(self) -> str:
        """As at the program's end."""
        text = self.session.leave()
        self.run.close()
        return text


def lines(out: Path) -> list[dict[str, Any]]:
    """The events in a folder, without the seconds."""
    text = (out / "metrics.jsonl").read_text()
    assert not text or text.endswith("\n")
    return [{**json.loads(line), "seconds": 0} for line in text.splitlines()]


def position(out: Path) -> int:
    """Up to which batch the folder's checkpoint goes."""
    return int(checkpoint_file.read_header(out / "checkpoint.npz")["position"])


def uninterrupted(scenario: Path) -> list[dict[str, Any]]:
    """The events of a training that nobody keeps."""
    training = load(scenario).training
    assert training is not None
    return [{**metrics.event_facts(event), "seconds": 0} for event in training.events()]
