"""What is shown of a batch before its first step, once a training is under way."""

from __future__ import annotations

from tui.session import numbers
from tui.session.explanation import GAP, Item
from tui.session.protocol import Graph
from tui.session.training.curve import RECENT
from tui.session.training.session import TrainingSession
from tui.session.training.stopping import Broken

WAY_BACK = (
    "n steps through its backward pass. t goes back to the training, and c there trains on: "
    "looking changes nothing."
)


def about_batch(session: TrainingSession, graph: Graph, broken: Broken | None) -> list[Item]:
    """Which batch it is, with which weights, and why the training has stopped there; nothing before
    a training that has not begun.

    Args:
        session: the training, before the batch.
        graph: the batch's graph.
        broken: why it has stopped by itself; None where the user has stopped it.
    """
    training = session.training
    done, total = training.position, training.total_batches
    if done == 0 and broken is None and not session.problem:
        return []
    shown = min(done + 1, total)
    items: list[Item] = [
        ("title", f"Batch {shown} of {total}", f"epoch {training.epoch} of {training.epochs}"),
        GAP,
    ]
    if session.problem:
        items += [("problem", f"! {session.problem}", ""), GAP]
    elif broken is not None:
        items += [("strong", f"{broken.why[0].upper()}{broken.why[1:]}", ""), GAP]
    weights = f"the weights after {done} update{'s' if done > 1 else ''}" if done else "new weights"
    about = f"The next batch, with {weights}: it has not changed them yet."
    if done >= total:
        about = f"The training is over. This is its last batch once more, with {weights}."
    items += [("text", about, ""), GAP]
    items.append(("line", "its loss now", numbers.number(graph.value(0).reshape(-1)[0])))
    recent = training.losses[-RECENT:]
    if recent:
        mean = numbers.number(sum(recent) / len(recent))
        items.append(("line", f"mean of the {len(recent)} before", mean))
    items.append(("line", "learning rate", numbers.number(training.lr)))
    return [*items, GAP, ("text", WAY_BACK, "")]
