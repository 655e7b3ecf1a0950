"""Starting the program with a screen."""

from __future__ import annotations

import contextlib
import os
import sys

from tui.options import Options
from tui.process.client import Client
from tui.process.importing import uncollected, without
from tui.terminal import colours

GNU_SCREEN = "STY"
"""Set inside GNU screen, which keeps an Escape back until the next key where the mouse is asked
for."""

SSH = "SSH_CONNECTION"
"""Set where the terminal is at the other end of an SSH connection."""

PACE_OVER_SSH = 16_000
"""Bytes a second: what a line of 20 kB/s takes, with what SSH itself adds."""


def launch(options: Options, picks: bool, mouse: bool, fast: bool) -> int:
    """Show the scenario, or the scenarios to pick from; returns the exit code.

    The scenario's process is started first: it loads while Textual is imported here.

    Args:
        options: the scenario, and how it is loaded, as are others that are picked.
        picks: whether the user is to pick one, so that none is named.
        mouse: whether to follow the mouse over SSH, too.
        fast: whether to send as much over SSH as to a local screen.
    """
    client = None
    if not picks:
        from tui.loading import catalog

        catalog.find(options.scenario)
        client = Client(options)
    # Textual reads these when it is imported. Nothing here moves unless something happened.
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    # How long it waits for more to draw; the terminal is sent no more than it takes in any case.
    os.environ.setdefault("TEXTUAL_FPS", "240")
    colours.settle(os.environ)
    over_ssh = SSH in os.environ
    slow = over_ssh and not fast
    app = None
    try:
        # asyncio takes ssl for connections that the screen never makes: 4 MB.
        with uncollected(), without("ssl"):
            from tui.app import BpTui
            from tui.terminal.driver import CellDriver
            from tui.terminal.input_decoding import forgive_bad_input

        forgive_bad_input()
        CellDriver.pace = PACE_OVER_SSH if slow else None
        app = BpTui(client, options, slow_link=slow)
        follows_mouse = not over_ssh and GNU_SCREEN not in os.environ
        app.run(mouse=follows_mouse or mouse)
        return app.return_code or 0
    finally:
        if app is not None:
            app.close()
            client = app.client
        elif client is not None:
            client.close()
        if client is not None and client.farewell:
            with contextlib.suppress(OSError):  # the terminal may have gone
                print(f"bp-tui: {client.farewell}", file=sys.stderr, flush=True)
