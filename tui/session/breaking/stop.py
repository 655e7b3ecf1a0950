"""Why a run has stopped, in a sentence."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stop:
    """Where a run has stopped, and because of what."""

    position: int
    """How many steps had been taken."""
    after: tuple[str, ...] = ()
    """What holds of the step just taken."""
    before: tuple[str, ...] = ()
    """Which breakpoints the next node has."""
    following: str = ""
    """What the next node is called."""
    failed: bool = False
    """Whether a condition could not be computed."""

    @property
    def reasons(self) -> str:
        """All that made it stop."""
        said = list(self.after)
        if self.before:
            said.append(f"node {self.position}, {self.following}, is next: {self._breakpoints}")
        return "; ".join(said)

    def told(self, label: str = "") -> str:
        """The sentence, with the label of the node of the last step where it is not on the
        screen."""
        if not self.after:
            return f"stopped before node {self.position}, {self.following}: {self._breakpoints}"
        node = f"{self.position - 1}, {label}" if label else str(self.position - 1)
        return f"stopped after node {node}: {self.reasons}"

    @property
    def at_the_step(self) -> str:
        """The sentence for where the step just taken is explained."""
        return f"stopped: {self.reasons}" if self.after else self.told()

    def __str__(self) -> str:
        told = self.told()
        return told[0].upper() + told[1:]

    @property
    def _breakpoints(self) -> str:
        return ", ".join(self.before)
