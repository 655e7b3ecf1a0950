"""What the tests of the program share: scenarios in files, the command line, the other process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scenarios import LESSONS
from tui.loading import loader
from tui.options import Options
from tui.process import blas_threads
from tui.process.client import Client
from tui.session import view
from tui.session.opening import about, open_graph
from tui.session.session import Session, Subject

ROOT = Path(__file__).resolve().parents[2]

os.environ.update(blas_threads(os.environ))  # as the command line does for its own processes

BUNDLED = LESSONS

REFUSED_AT = {"inplace": 2}
"""The bundled scenarios whose pass does not reach its end, with the step that is refused."""

COMPLETE = tuple(name for name in BUNDLED if name not in REFUSED_AT)
"""Those whose pass does."""

TRAINED = ("mlp", "mlp_adam", "cnn")
"""Those that leave a training."""

HEADER = "from engine import *\nimport numpy as np\n"
"""Two lines, so that the first line of a body is line 3."""

BODY_LINE = 3

SQUARE = "a = Tensor(3.0, requires_grad=True)\nloss = a * a\n"

REGRESSION = """
xs = np.linspace(-1, 1, 20, dtype=np.float32).reshape(10, 2)
ys = xs.sum(axis=1, keepdims=True)
model = Linear(2, 1)
def mean_square(out, y):
    off = out - y
    return (off * off).sum() / len(y)
training = Training(model, SGD(model.parameters(), 0.1), (xs, ys), (xs, ys), mean_square,
                    batch_size=4, epochs=2)
"""
"""Six batches in two epochs, in a moment."""

LOUD_BACK = """
import os, sys
def cube(x):
    return x ** 3
def cube_back(grad_out, out, x):
    {body}
    return grad_out * 3 * x * x
cubed = wrap_forward_fn(cube)
BACK_FUNCS.add_back_func(cubed, 0, cube_back)
a = Tensor(2.0, requires_grad=True)
loss = cubed(a)
"""
"""Its backward function does what `body` says, too."""

BROKEN = """
def cube(x):
    return x ** 3
def cube_back(grad_out, out, x):
    {body}
cubed = wrap_forward_fn(cube)
BACK_FUNCS.add_back_func(cubed, 0, cube_back)
a = Tensor([1.0, 2.0], requires_grad=True)
loss = cubed(a)
"""
"""A backward function of the user's own, with a body to be put in."""

FAILS_FORWARD = (
    "def loss_fn(out, y):\n"
    "    if training.position == 2:\n        raise ValueError('odd')\n"
    "    return mean_square(out, y)\n"
    "training.loss_fn = loss_fn\n"
)
"""Behind REGRESSION: the third batch fails before there is a graph of it."""

FAILS_BACKWARD = (
    "def back(grad_out, out, x):\n    raise ValueError('odd')\n"
    "odd = wrap_forward_fn(lambda x: x * 1, name='odd')\n"
    "BACK_FUNCS.add_back_func(odd, 0, back)\n"
    "def loss_fn(out, y):\n"
    "    loss = mean_square(out, y)\n"
    "    return odd(loss) if training.position == 2 else loss\n"
    "training.loss_fn = loss_fn\n"
)
"""Behind REGRESSION: the backward pass of the third batch fails."""


def write(folder: Path, body: str, name: str = "wrong.py") -> Path:
    """A scenario file of the two lines of HEADER and a body."""
    path = folder / name
    path.write_text(HEADER + body, encoding="utf-8")
    return path


def load(scenario: str | Path, **options: Any) -> loader.Scenario:
    """Load in this process, which keeps its sys.path."""
    path = list(sys.path)
    try:
        return loader.load(Options(str(scenario), **{"data": "embedded", **options}))
    finally:
        sys.path[:] = path


def session_on(scenario: str | Path, **options: Any) -> Session:
    """A session on a scenario that is loaded afresh."""
    loaded = load(scenario, **options)
    graph = open_graph(loaded)
    subject = Subject(
        loaded.name,
        about(loaded),
        loaded.title,
        loaded.introduction,
        loaded.path.name,
        loaded.source,
        (*loaded.warned, *loaded.warned_ahead),
    )
    return Session(graph, subject)


def view_of(session: Session, rows: int = 18, both: bool = True) -> dict[str, Any]:
    """What the stepping screen is sent."""
    return view.view_of(session, rows, 40, 20, both)


def text_of(items: list[Any]) -> str:
    """The items of an explanation as text, a line an item."""
    return "\n".join(f"{left}  {right}".rstrip() for _, left, right in items)


def environment(**changes: str | None) -> dict[str, str]:
    """This process's environment with the checkout importable, and changes (None removes)."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    env.pop("PYTHONUNBUFFERED", None)  # users have it not, and it hides what is lost at the end
    for name, value in changes.items():
        if value is None:
            env.pop(name, None)
        else:
            env[name] = value
    return env


def command(*args: str | Path) -> list[str]:
    """The command line of the program with these arguments."""
    return [sys.executable, "-m", "tui", *map(str, args)]


def run(
    *args: str | Path,
    env: dict[str, str] | None = None,
    cwd: Path | None = None,
    timeout: float = 20,
    stdin: int = subprocess.DEVNULL,
) -> subprocess.CompletedProcess[str]:
    """Run the program to its end, its output in pipes."""
    return subprocess.run(
        command(*args),
        env=env or environment(),
        cwd=cwd,
        timeout=timeout,
        stdin=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
    )


def json_lines(text: str) -> list[dict[str, Any]]:
    """The objects of an output that has to be JSON lines and nothing else."""
    assert text.endswith("\n")
    return [json.loads(line, parse_constant=_no_constant) for line in text.splitlines()]


def _no_constant(name: str) -> Any:
    raise AssertionError(f"{name} is no JSON")


def assert_refused(
    done: subprocess.CompletedProcess[str], *parts: str, lines: int | None = None
) -> None:
    """The program has ended with exit code 2 and one clear message that holds these parts."""
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == 2, (done.returncode, done.stdout, done.stderr)
    said = [line for line in done.stderr.splitlines() if line.startswith("bp-tui: ")]
    assert len(said) == 1, done.stderr
    for part in parts:
        assert part in done.stderr
    if lines is not None:
        assert len(done.stderr.splitlines()) == lines, done.stderr


class Debugged:
    """A debugged process and all that it has said."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.messages: list[dict[str, Any]] = []
        self.printed = 0
        """How often it was said that something was printed."""
        self.answered = 0
        """How many commands have been carried out."""
        self._news = threading.Condition()
        client.listen(self._keep)

    def _keep(self, message: dict[str, Any]) -> None:
        with self._news:
            if message["type"] == "printed":
                self.printed += 1
            else:
                self.answered = message.get("commands", self.answered)
                if message["type"] != "answered":
                    self.messages.append(message)
            self._news.notify_all()

    def ask(self, do: str, **more: Any) -> None:
        """Send a command."""
        self.client.send(do=do, **more)

    def wait_for(
        self, kind: str, holds: Callable[[dict[str, Any]], bool] = lambda _: True, within: float = 8
    ) -> dict[str, Any]:
        """The first message of a kind that holds; those up to it are forgotten."""
        until = time.monotonic() + within
        with self._news:
            while True:
                for i, message in enumerate(self.messages):
                    if message["type"] == kind and holds(message):
                        del self.messages[: i + 1]
                        return message
                left = until - time.monotonic()
                ended = any(m["type"] == "ended" for m in self.messages)
                if ended or left <= 0 or not self._news.wait(left):
                    kinds = [m["type"] for m in self.messages]
                    log = "\n".join(self.client.log)
                    raise AssertionError(f"no {kind!r} came, but {kinds}; log:\n{log}")

    def step(self, do: str, **more: Any) -> dict[str, Any]:
        """Send a command and give the view that comes back."""
        with self._news:
            self.messages.clear()
        self.ask(do, **more)
        return self.wait_for("stepping")


@contextmanager
def debugged(scenario: str | Path, **options: Any) -> Iterator[Debugged]:
    """A process that debugs a scenario; it is gone at the end."""
    client = Client(Options(str(scenario), **{"data": "embedded", **options}))
    try:
        yield Debugged(client)
    finally:
        client.close()


def is_alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def wait_until(holds: Callable[[], bool], within: float) -> bool:
    """Whether it came to hold in time."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.02)
    return holds()
