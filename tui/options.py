"""What the user asked for on the command line, as it also travels to the debugged process."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

DATA = ("auto", "embedded", "torchvision")
"""Which MNIST there is to choose from."""


@dataclass(frozen=True)
class Options:
    """How to load a scenario."""

    scenario: str
    """A path, or the name of a bundled scenario."""
    seed: int = 0
    data: str = "auto"
    """One of DATA."""
    data_dir: str | None = None
    """Where IDX files may lie."""
    batch_size: int | None = None
    """Replaces the Training's own value, as do the next two."""
    epochs: int | None = None
    lr: float | None = None
    out: str | None = None
    """The folder that the training is kept in, absolute; one that is there already is gone on
    from."""
    checkpoint_every: int | None = None
    """After how many batches it is kept there, besides after each epoch."""
    breaks: tuple[str, ...] = ()
    """Where to stop besides what is remembered, as typed."""
    watches: tuple[str, ...] = ()
    """What to watch besides what is remembered, as typed."""
    remembers: bool = True
    """Whether breakpoints and watches are remembered from one run to the next."""
    at_training: bool = False
    """Whether it is the training that is shown first, where there is one."""

    def to_json(self) -> str:
        """The options as one line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Options:
        """The options that `to_json` wrote."""
        fields = json.loads(text)
        for name in ("breaks", "watches"):
            fields[name] = tuple(fields[name])  # JSON has lists
        return cls(**fields)
