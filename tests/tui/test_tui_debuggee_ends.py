"""How the debugged process ends, and what it leaves: no process, no open file."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tui_support import (
    LOUD_BACK,
    REGRESSION,
    ROOT,
    SQUARE,
    Debugged,
    debugged,
    environment,
    is_alive,
    wait_until,
    write,
)

from tui.options import Options
from tui.process.client import Client

FOREVER = "import time\nprint('under way', flush=True)\nwhile True:\n    time.sleep(0.01)\n"

ENDLESS = {
    "a loop": "print('under way', flush=True)\nwhile True:\n    pass\n",
    "a loop that swallows all": FOREVER.replace(
        "    time.sleep(0.01)", "    try:\n        time.sleep(0.01)\n    except BaseException: pass"
    ),
    "a step": LOUD_BACK.format(body="print('under way', flush=True)\n    while True: pass"),
    "a flood": "print('under way', flush=True)\nwhile True:\n    print('x' * 100)\n",
    "signals ignored": "import signal\nfor s in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):\n"
    "    signal.signal(s, signal.SIG_IGN)\n" + FOREVER,
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_close_ends_an_endless_scenario_at_once(tmp_path: Path, kind: str) -> None:
    client = Client(Options(str(write(tmp_path, ENDLESS[kind]))))
    there = Debugged(client)
    pid = client._process.pid
    if kind == "a step":
        there.wait_for("stepping")
        there.ask("next")
    assert wait_until(lambda: there.printed > 0, 5)
    for _ in range(3):
        there.ask("next")
    asked = time.monotonic()
    client.close()
    assert time.monotonic() - asked < 5
    assert not is_alive(pid)
    client.close()  # once more does no harm


def test_close_ends_what_the_scenario_has_started(tmp_path: Path) -> None:
    body = (
        "import subprocess\nchild = subprocess.Popen(['sleep', '60'])\n"
        "print(child.pid, flush=True)\n" + SQUARE
    )
    with debugged(write(tmp_path, body)) as there:
        there.wait_for("stepping")
        assert wait_until(lambda: len(there.client.log) > 0, 3)
        child = int(there.client.log[0])
        assert is_alive(child)
    assert wait_until(lambda: not is_alive(child), 2)


def test_after_close_nothing_is_told(tmp_path: Path) -> None:
    with debugged("first_graph") as there:
        there.wait_for("stepping")
        there.client.close()
        there.messages.clear()
        there.ask("next")
        time.sleep(0.2)
        assert there.messages == []


PARENT = """
import sys, threading
from tui.options import Options
from tui.process import ending
from tui.process.client import Client
client = Client(Options(sys.argv[1], data="embedded"))
came = threading.Event()
client.listen(lambda message: came.set())
for command in sys.argv[2:]:
    client.send(do=command)
came.wait(10)
print(client._process.pid, flush=True)
threading.Event().wait()
"""


@pytest.mark.parametrize(
    ("kind", "ending"),
    [
        ("idle", signal.SIGTERM),
        ("idle", signal.SIGHUP),
        ("idle", signal.SIGKILL),
        ("a loop", signal.SIGKILL),
        ("signals ignored", signal.SIGKILL),
        ("a flood", signal.SIGKILL),
        ("training", signal.SIGKILL),
    ],
)
def test_the_child_ends_when_its_parent_is_killed(
    tmp_path: Path, kind: str, ending: signal.Signals
) -> None:
    body = {"idle": SQUARE, "training": REGRESSION + "training.epochs = 10**7\n"}
    path = write(tmp_path, body.get(kind) or ENDLESS[kind])
    commands = ["training.open", *["training.faster"] * 8, "training.run"] * (kind == "training")
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(path), *commands],
        env=environment(),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        parent.send_signal(ending)
        parent.wait(5)
    assert wait_until(lambda: not is_alive(pid), 3)


def test_what_a_scenario_has_started_ends_when_the_parent_is_killed(tmp_path: Path) -> None:
    started = tmp_path / "pid"
    body = (
        "import subprocess\nchild = subprocess.Popen(['sleep', '60'])\n"
        f"open({str(started)!r}, 'w').write(str(child.pid))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(write(tmp_path, body + SQUARE))],
        env=environment(),
        cwd=ROOT,
        stdout=subprocess.PIPE,
    ) as parent:
        assert parent.stdout
        parent.stdout.readline()
        parent.kill()
    child = int(started.read_text())
    try:
        assert wait_until(lambda: not is_alive(child), 3)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


def open_files() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="no /proc that tells of open files")
@pytest.mark.parametrize("end", ["closed", "closed at once", "a problem", "a crash"])
def test_no_file_is_left_open(tmp_path: Path, end: str) -> None:
    body = {"a problem": "1 / 0\n", "a crash": "import os\nos.abort()\n"}.get(end, SQUARE)
    # What tests before this one have left to their threads may be closed meanwhile.
    before = open_files()
    with debugged(write(tmp_path, body)) as there:
        assert len(open_files() - before) >= 4
        if end == "closed":
            there.wait_for("stepping")
        elif end in ("a problem", "a crash"):
            there.wait_for("problem" if end == "a problem" else "ended")
    assert wait_until(lambda: open_files() <= before, 3), open_files() - before
