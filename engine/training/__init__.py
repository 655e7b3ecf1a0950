"""Training: a loop that is an iterator of events, and all that it changes."""

from engine.training.events import (
    BatchDone,
    EpochDone,
    Event,
    LookAhead,
    TrainedBatch,
    TrainingDone,
)
from engine.training.snapshot import TrainingSnapshot
from engine.training.training import Training

__all__ = [
    "BatchDone",
    "EpochDone",
    "Event",
    "LookAhead",
    "TrainedBatch",
    "Training",
    "TrainingDone",
    "TrainingSnapshot",
]
