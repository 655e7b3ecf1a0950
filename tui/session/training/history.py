"""The last batches, kept so that a training can go back to before them."""

from __future__ import annotations

from collections import deque

import engine

KEPT = 20
"""To before how many batches it can go back."""

KEPT_BYTES = 256 * 2**20
"""Of very large networks fewer are kept: only as many as take so much memory."""


class History:
    """Keeps how a training was before each of its last batches."""

    def __init__(self, training: engine.Training) -> None:
        self._training = training
        self._kept: deque[engine.TrainingSnapshot] = deque()
        self._spare: list[engine.TrainingSnapshot] = []
        self._with_global_random = True
        self._is_known = False
        """Whether it is known if a batch draws from NumPy's or Python's own random numbers."""

    def __len__(self) -> int:
        return len(self._kept)

    def keep(self) -> None:
        """Keep how the training is now: a batch is about to come."""
        if self._spare:
            snapshot = self._spare.pop()
            snapshot.take(self._training)
        else:
            snapshot = engine.TrainingSnapshot(self._training, self._with_global_random)
        self._kept.append(snapshot)

    def batch_done(self) -> None:
        """A batch has come, for which the oldest is given up where there are too many. If it did
        not draw from global random numbers, no other is taken to, and they are kept no more (which
        takes as long as a small batch)."""
        if len(self._kept) > max(1, min(KEPT, KEPT_BYTES // max(1, self._kept[-1].nbytes))):
            self._spare.append(self._kept.popleft())
        if not self._is_known:
            self._is_known = True
            self._with_global_random = self._kept[-1].global_random_has_changed()
            if not self._with_global_random:
                for snapshot in self._kept:
                    snapshot.forget_global_random()

    def back(self) -> bool:
        """Let the training be as it was before the last batch; False where that is not kept."""
        if not self._kept:
            return False
        snapshot = self._kept.pop()
        snapshot.put_back(self._training)
        self._spare.append(snapshot)
        return True

    @property
    def last(self) -> engine.TrainingSnapshot | None:
        """How the training was before the last batch."""
        return self._kept[-1] if self._kept else None

    def put_back(self) -> None:
        """Let the training be as it was when it was kept last; it stays kept."""
        self._kept[-1].put_back(self._training)

    def take(self) -> engine.TrainingSnapshot:
        """How the training was when it was kept last, which is kept here no more."""
        return self._kept.pop()

    def clear(self) -> None:
        """Forget all of it."""
        self._spare.extend(self._kept)
        self._kept.clear()
