"""What is given to several test files of the program: a scenario with a tiny training."""

from __future__ import annotations

from pathlib import Path

import pytest
from training_screen_support import Scenario


@pytest.fixture
def small_training(tmp_path: Path) -> Scenario:
    """A function that writes a scenario with a tiny training, whose loss does something first."""

    def write(in_loss: str) -> Path:
        path = tmp_path / "tiny.py"
        path.write_text(
            '"""A tiny training"""\n'
            "import os, sys, time\n"
            "import numpy as np\n"
            "from engine import SGD, Linear, Training, cross_entropy\n"
            "model = Linear(3, 2)\n"
            "images = np.ones((8, 3), dtype=np.float32)\n"
            "labels = np.array([0, 1] * 4)\n"
            "count = 0\n"
            "def loss_fn(logits, labels):\n"
            "    global count\n"
            "    count += 1\n"
            f"    {in_loss}\n"
            "    return cross_entropy(logits, labels)\n"
            "data = (images, labels)\n"
            "training = Training(model, SGD(model.parameters(), lr=0.1), data, data, loss_fn,\n"
            "                    batch_size=2, epochs=50)\n",
            encoding="utf-8",
        )
        return path

    return write
