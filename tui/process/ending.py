"""What to tell of a debugged process that has come to its end by itself."""

from __future__ import annotations

import signal
from typing import Any

from tui.errors import ScenarioError
from tui.loading import catalog
from tui.process import whereabouts

CRASHES = {
    "SIGABRT": "Python itself, or a library that it uses, has given up",
    "SIGSEGV": "it has used memory that is not its own",
    "SIGBUS": "it has used memory that is not there",
    "SIGFPE": "a division of whole numbers has failed in compiled code",
    "SIGILL": "it has run compiled code that this processor does not know",
    "SIGKILL": "the system does that where memory runs out; use less of it, as by smaller arrays",
}

MANY_FRAMES = 90
"""In a report of faulthandler's, which ends after 100."""


def told(scenario: str, status: int, report: str) -> dict[str, Any]:
    """A problem, as the screen shows one.

    Args:
        scenario: what the user asked for.
        status: as of `subprocess`: an exit code, or a signal below 0.
        report: what faulthandler has written.
    """
    try:
        place = whereabouts.of_crash(catalog.find(scenario), report)
    except ScenarioError:  # the file has gone, too
        place = None
    return {"message": _in_words(status, report), **whereabouts.facts(place)}


def _in_words(status: int, report: str) -> str:
    if status >= 0:
        return f"The scenario's process has ended by itself, with exit code {status}."
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = ""
    words = f"The scenario's process was ended by signal {-status}{name and f', {name}'}"
    if name == "SIGSEGV" and report.count("\n  File ") > MANY_FRAMES:
        return f"{words}: its functions call each other too deeply."
    return f"{words}: {CRASHES[name]}." if name in CRASHES else f"{words}."
