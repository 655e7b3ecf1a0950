"""What the training screen can ask about where the training stops."""

from __future__ import annotations

from typing import Any

from tui.errors import Refused
from tui.session.breaking.breakpoints import Breakpoints
from tui.session.breaking.commands import NOT_HERE
from tui.session.breaking.condition import Condition
from tui.session.breaking.listed import changed, told
from tui.session.breaking.syntax import ExpressionError
from tui.session.explanation import GAP, Item
from tui.session.labels import Labels
from tui.session.protocol import Graph
from tui.session.training import BREAKS_PAGE
from tui.session.training.breaks import AtBatch, Break, Breaks, OfLoss, What, parse
from tui.session.training.session import TrainingSession

Json = dict[str, Any]


def show(session: TrainingSession, command: Json) -> None:
    """Show the page of all places where the training stops."""
    session.show_page(BREAKS_PAGE, listing(session.breaks))


def change(session: TrainingSession, command: Json) -> None:
    """Add what was typed, or carry out `-2` or `!2`; without a text the debugger's conditions are
    taken over. An open list shows it.

    Raises:
        Refused: it cannot be done as it was typed.
    """
    text = str(command["text"])
    breaks = session.breaks
    if text.strip():
        done = changed(breaks, text)
        session.say(done or _added(session, breaks.add(_what(session, text))))
    else:
        session.say(_take_over(session))
    session.show_page(BREAKS_PAGE, listing(breaks), update=True)


def drop_senseless(session: TrainingSession, breakpoints: Breakpoints) -> str | None:
    """Drop the breaks at which this training cannot stop, such as those of another one; which they
    are, None where there are none.

    Args:
        session: has breaks that are remembered from an earlier run.
        breakpoints: are attached to the graph of a batch.
    """
    last = session.training.total_batches

    def prevents(what: What) -> str:
        if isinstance(what, AtBatch):
            return "" if what.batch <= last else f"there are {last}"
        if isinstance(what, OfLoss | Condition) or breakpoints.is_here(what):
            return ""
        return NOT_HERE

    dropped = session.breaks.drop_where(prevents)
    return f"the training stops no more {', '.join(dropped)}" if dropped else None


def _what(session: TrainingSession, text: str) -> What:
    what = parse(text)
    last = session.training.total_batches
    if isinstance(what, AtBatch) and not 1 <= what.batch <= last:
        raise Refused(f"the batches are 1 to {last}; E trains for more epochs")
    return _node(session, text) if isinstance(what, int) else what


def _node(session: TrainingSession, text: str) -> What:
    """The node of a number, by what stays the same of it from batch to batch."""
    if session.look_in is None:
        raise Refused("there is no graph in which a node could be looked for")
    try:
        return _attached(session.look_in()).add_stop(text).what
    except ExpressionError as error:
        raise Refused(str(error)) from None


def _attached(graph: Graph) -> Breakpoints:
    breakpoints = Breakpoints()
    breakpoints.attach(graph, Labels(graph))
    return breakpoints


def _added(session: TrainingSession, one: Break) -> str:
    what, position = one.what, session.training.position
    if isinstance(what, AtBatch):
        if what.batch <= position:
            return f"c stops {one}, which is behind: p goes back by a batch, r to the start"
        return f"c stops {one}, before its update"
    if isinstance(what, OfLoss):
        return f"c stops {one}, before the update of that batch"
    return f"c is slower now, and stops {one}{_where_it_is(session, what)}"


def _where_it_is(session: TrainingSession, what: What) -> str:
    """That none of the next batch's nodes is meant, where that is so."""
    if isinstance(what, AtBatch | OfLoss | Condition) or session.look_in is None:
        return ""
    return "" if _attached(session.look_in()).is_here(what) else f", {NOT_HERE}"


def _take_over(session: TrainingSession) -> str:
    conditions = [
        one.what
        for one in (session.debugger.breakpoints if session.debugger else [])
        if one.enabled and isinstance(one.what, Condition)
    ]
    if not conditions:
        raise Refused("type where to stop: the debugger has no condition that is switched on")
    known = [one.what for one in session.breaks.entries]
    added = [session.breaks.add(what) for what in conditions if what not in known]
    if not added:
        raise Refused("the debugger's conditions are here already; B lists where it stops")
    return f"c is slower now, and stops {', '.join(map(str, added))}"


def listing(breaks: Breaks) -> list[Item]:
    """The page of all places where the training stops, and how they are written."""
    items: list[Item] = []
    for number, one in enumerate(breaks.entries, 1):
        items.append(("key", f"{number:>3}", ", ".join([str(one), *told(one)])))
    if not items:
        items.append(("line", "none yet", ""))
    how = (
        ("b 200", "stops before the update of batch 200 of the whole training"),
        ("b nan", "before that of a batch whose loss is NaN or infinite"),
        ("b rise 2", "whose loss is more than 2 times the mean of the 20 before it"),
        ("b loss > 3", "whose loss is above 3; also < <= >="),
        ("b inf", "in whose pass a condition of the debugger holds: inf, isnan(grad_out)"),
        ("b op matmul", "before the first such node; also node 12, name linear*.bias"),
        ("b", "without a text: all conditions that are switched on in the debugger"),
        ("b -2", "removes number 2; b !2 switches it off, or on again"),
    )
    items += [GAP, *(("key", key, text) for key, text in how), GAP]
    about = (
        "c and g stop there, n does not. The debugger opens on that batch, with the weights of "
        "that moment; t comes back to the training, and c goes on as if nobody had looked.",
        "For a condition, a node, an operation or a name each batch is stepped before it is "
        "trained on, which takes several times as long. What a condition is made of is told in the "
        "debugger (Esc, then B).",
    )
    return [*items, *(("text", text, "") for text in about)]
