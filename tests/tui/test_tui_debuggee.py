"""The debugged process through its client: what it does, and what it survives."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from tui_support import (
    BODY_LINE,
    LOUD_BACK,
    REGRESSION,
    SQUARE,
    Debugged,
    debugged,
    session_on,
    view_of,
    wait_until,
    write,
)

from tui.process import ending


def text(message: dict[str, Any]) -> str:
    return "\n".join(f"{left}  {right}" for _, left, right in message["step"])


# Commands


def test_stepping_from_afar_is_stepping() -> None:
    here = session_on("first_graph")
    with debugged("first_graph") as there:
        there.wait_for("stepping")
        shown = there.step("size", rows=18, width=40, height=20, both=True)
        commands = [
            *("next", "into", "into", "back", "next", "next", "next"),
            *("back", "continue", "back", "start", "into"),
        ]
        for command in commands:
            if command == "continue":
                here.go_to(here.graph.step_count)
            else:
                getattr(here, command)()
            shown = there.step(command)
            ours = json.loads(json.dumps(view_of(here)))
            for key in ("done", "cursor", "shown", "rail", "step", "tensors", "next", "called"):
                assert shown[key] == ours[key], (command, key)
    assert not shown["would_be_lost"]


def test_the_source_is_sent_where_it_is_shown() -> None:
    with debugged("first_graph") as there:
        there.wait_for("stepping")
        there.step("next")
        hidden = there.step("size", source=False)
        assert (hidden["source"], hidden["called"]) == (None, None)
        assert there.step("next")["source"] is None
        shown = there.step("size", source=True)
        assert shown["source"]["filename"] == "first_graph.py"
        assert shown["called"]["lines"]


def test_the_cursor_from_afar() -> None:
    with debugged("first_graph") as there:
        there.wait_for("stepping")
        there.step("continue")
        assert there.step("cursor", by=-2)["cursor"] == 3
        assert there.step("cursor", by=-100)["cursor"] == 0
        assert there.step("point", node=4)["cursor"] == 4
        ran = there.step("run_to_cursor")
        assert (ran["done"], ran["shown"]) == (5, 4)


def test_a_burst_of_commands_is_carried_out_to_the_last() -> None:
    with debugged("mlp") as there:
        there.wait_for("stepping")
        for _ in range(300):
            there.ask("next")
            there.ask("back")
        for _ in range(7):
            there.ask("into")
        there.ask("next")
        assert there.wait_for("stepping", lambda m: m["done"] == 3)["shown"] == 2


def test_a_size_of_any_kind() -> None:
    with debugged("mlp") as there:
        there.wait_for("stepping")
        for size in ({"rows": 1, "width": 30, "height": 1}, {"rows": 500, "width": 500}):
            shown = there.step("size", both=True, **size)
            assert len(shown["rail"]) == min(size["rows"], shown["rows"])


def test_a_view_that_cannot_be_made_is_said_and_the_command_counts(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "class Odd:\n    def __str__(self): raise ValueError('odd')\n"
        "f = wrap_forward_fn(lambda x, odd: x * 1, name='f')\n"
        "BACK_FUNCS.add_back_func(f, 0, lambda grad_out, out, x, odd: grad_out)\n"
        "loss = f(Tensor([1.0, 2.0], requires_grad=True), Odd()).sum()\n",
    )
    with debugged(path) as there:
        assert "ValueError: odd" in there.wait_for("failed")["text"]
        for count in (1, 2):
            there.ask("next")
            assert "ValueError: odd" in there.wait_for("failed")["text"]
            assert wait_until(lambda count=count: there.answered == count, within=8)


def test_commands_for_a_training_that_is_not_there() -> None:
    with debugged("first_graph") as there:
        there.wait_for("stepping")
        there.ask("training.open")
        assert "training" in there.wait_for("notice")["text"]
        there.wait_for("stepping")  # the view after the notice
        assert there.step("next")["done"] == 1


# Trainings


def test_a_training_from_afar(tmp_path: Path) -> None:
    with debugged("mlp") as there:
        start = there.wait_for("stepping")
        there.ask("training.open")
        opened = there.wait_for("training")
        assert (opened["state"], opened["batch"], opened["total"]) == ("paused", 0, 315)
        assert "4,000 to train" in opened["data"]
        assert "torchvision" in opened["hint"]
        there.ask("training.batch")
        assert there.wait_for("training", lambda m: m["batch"] == 1)["state"] == "paused"
        there.ask("training.run")
        there.wait_for("training", lambda m: m["state"] == "running" and m["batch"] > 1)
        there.ask("training.toggle")
        paused = there.wait_for("training", lambda m: m["state"] == "paused")
        assert paused["would_be_lost"]
        there.ask("training.close")
        shown = there.wait_for("stepping")
        assert shown["would_be_lost"]
        assert f"batch {paused['batch'] + 1} of 63" in shown["about"]
        assert shown["rail"][0]["label"] != start["rail"][0]["label"]
        assert shown["done"] == 0


def test_a_training_at_full_speed_answers_at_once_and_ends() -> None:
    with debugged("mlp") as there:
        there.ask("training.open")
        for _ in range(8):
            there.ask("training.faster")
        there.ask("training.run")
        ended = there.wait_for("training", lambda m: m["state"] == "finished", within=20)
        assert len(ended["results"]) == 5
        assert ended["results"][-1]["test_accuracy"] > 0.85
        there.ask("training.restart")
        again = there.wait_for("training", lambda m: m["batch"] == 0)
        assert (again["state"], again["results"]) == ("paused", [])


def test_a_paced_training_sends_few_messages_and_hears_commands(tmp_path: Path) -> None:
    with debugged(write(tmp_path, REGRESSION), epochs=10000) as there:
        there.wait_for("stepping")
        there.ask("size", updates=5)
        there.ask("training.open")
        for _ in range(8):
            there.ask("training.faster")
        there.ask("training.run")
        there.wait_for("training", lambda m: m["batch"] > 10)
        there.messages.clear()
        time.sleep(1)
        assert len(there.messages) <= 8
        asked = time.monotonic()
        there.ask("training.toggle")
        there.wait_for("training", lambda m: m["state"] == "paused")
        assert time.monotonic() - asked < 3


def test_a_paused_training_is_silent(tmp_path: Path) -> None:
    with debugged(write(tmp_path, REGRESSION)) as there:
        there.wait_for("stepping")
        there.ask("training.open")
        there.wait_for("training")
        time.sleep(0.4)
        assert there.messages == []


@pytest.mark.parametrize("at", [2, 4])
def test_a_training_that_fails_says_so_and_stays(tmp_path: Path, at: int) -> None:
    body = REGRESSION + (
        f"seen = []\ndef failing(out, y):\n    seen.append(1)\n    if len(seen) == {at + 1}:\n"
        "        raise ValueError('odd')\n    return mean_square(out, y)\n"
        "training.loss_fn = failing\n"
    )
    with debugged(write(tmp_path, body)) as there:
        there.ask("training.open")
        for _ in range(at):
            there.ask("training.batch")
        failed = there.wait_for("training", lambda m: m["state"] == "failed")
        assert "ValueError: odd" in failed["problem"]
        there.ask("training.close")
        there.wait_for("stepping")


def test_a_stop_whose_evaluation_fails_leaves_the_process_alive(tmp_path: Path) -> None:
    body = REGRESSION + (
        "def failing(out, y):\n    if not is_grad_enabled():\n        raise ValueError('odd')\n"
        "    return mean_square(out, y)\ntraining.loss_fn = failing\n"
    )
    with debugged(write(tmp_path, body)) as there:
        there.ask("training.open")
        there.ask("training.batch")
        there.ask("training.stop")
        assert "odd" in there.wait_for("training", lambda m: m["problem"] != "")["problem"]


@pytest.mark.parametrize(
    "change",
    [
        "layer = model\ntraining.model = lambda x: layer(x)\n",
        "class Own:\n    lr = 0.1\n    def zero_grad(self):\n        model.weight.grad = None\n"
        "        model.bias.grad = None\n    def step(self):\n        pass\n"
        "training.optimizer = Own()\n",
    ],
    ids=["a function for a model", "an optimizer of its own"],
)
def test_trainings_that_are_put_together_by_hand(tmp_path: Path, change: str) -> None:
    with debugged(write(tmp_path, REGRESSION + change)) as there:
        there.wait_for("stepping")
        there.ask("training.open")
        there.ask("training.batch")
        assert there.wait_for("training", lambda m: m["batch"] == 1)["last_loss"]


# Scenarios that cannot be used


@pytest.mark.parametrize(
    ("body", "line", "part"),
    [
        ("a = 1\n1 / 0\n", BODY_LINE + 1, "ZeroDivisionError"),
        ("b = = 2\n", BODY_LINE, "understand"),
        ("import sys\nsys.exit(0)\n", BODY_LINE + 1, "SystemExit"),
        ("x = input('?')\n", BODY_LINE, "input()"),
        ("import os\nwhile os.read(0, 100):\n    pass\n1 / 0\n", BODY_LINE + 3, "division"),
        ("a = 1\n", None, "loss"),
        ("raise ValueError('half a pair: \\ud800')\n", BODY_LINE, "ValueError"),
        ("loss = Tensor(1.0, requires_grad=True)\nend_grad = [[1], [1, 2]]\n", None, "end_grad"),
        (f"{SQUARE}end_grad = 'x'\n", None, "end_grad"),
    ],
)
def test_a_problem_is_one_message(tmp_path: Path, body: str, line: int | None, part: str) -> None:
    path = write(tmp_path, body)
    with debugged(path) as there:
        problem = there.wait_for("problem")
        assert part in problem["message"]
        assert (problem["filename"], problem["line"]) == (str(path), line)
        assert there.wait_for("ended")["status"] == 0


def test_a_file_name_that_is_no_utf8(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.py")
    path.write_text(f"from engine import *\n{SQUARE}")
    with debugged(path) as there:
        there.wait_for("stepping")
        path.write_text("1 / 0\n")
    with debugged(path) as there:
        assert "division" in there.wait_for("problem")["message"]


def test_a_title_of_half_a_pair(tmp_path: Path) -> None:
    path = tmp_path / "odd.py"
    path.write_text(f'"""Half a pair: \\ud800"""\nfrom engine import *\n{SQUARE}')
    with debugged(path) as there:
        there.wait_for("stepping")


@pytest.mark.parametrize(
    "body",
    ["raise KeyError('odd')", "1 / 0", "raise SystemExit(3)", "sys.exit()", "return None"],
)
def test_a_backward_function_that_fails_is_a_notice(tmp_path: Path, body: str) -> None:
    with debugged(write(tmp_path, LOUD_BACK.format(body=body))) as there:
        there.wait_for("stepping")
        for command in ("next", "into", "continue"):
            there.ask(command)
            assert "cube_back" in there.wait_for("failed")["text"]
        assert there.step("cursor", by=1)["done"] == 0


@pytest.mark.parametrize(
    "hook", ["a.register_hook(lambda g: 1 / 0)", "handle = add_step_hook(lambda step: 1 / 0)"]
)
def test_a_hook_that_fails_is_a_notice(tmp_path: Path, hook: str) -> None:
    with debugged(write(tmp_path, f"{SQUARE}{hook}\n")) as there:
        there.wait_for("stepping")
        there.ask("continue")
        assert "ZeroDivisionError" in there.wait_for("failed")["text"]
        there.step("start")


@pytest.mark.parametrize(
    "value", ["np.full((3, 4), 1e20)", "np.array([1e38, 1e38])", "np.full(9, np.nan)"]
)
def test_exploding_tensors_can_be_looked_at(tmp_path: Path, value: str) -> None:
    body = f"a = Tensor({value}, requires_grad=True)\nloss = (a * 1.0).sum()\n"
    with debugged(write(tmp_path, body)) as there:
        there.wait_for("stepping")
        there.step("size", both=True)
        for _ in range(3):
            there.step("next")
        assert there.step("point", node=2)["tensors"]


# Rough scenarios


@pytest.mark.parametrize(
    "trick",
    [
        "os.write(1, bytes(range(256)) * 50)",
        "os.write(2, bytes(range(256)) * 50)",
        "sys.stdout.close()",
        "sys.stderr.close()",
        "sys.stdout = sys.stderr = None",
        "sys.stdout = open(os.devnull, 'w')",
        "os.close(1)",
        "os.close(0)",
        "os.chdir('/')",
        "sys.stdin.close()",
        "sys.argv.clear()",
        "sys.path.clear()",
        "sys.setrecursionlimit(300)",
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)",
        'print(\'{"type": "problem", "message": "a lie"}\')',
        "print('λ', '\\ud800', '\\x1b[2J')",
        "subprocess.run(['sh', '-c', 'echo from a child; cat']); open(0).read()",
        "import threading; threading.Thread(target=lambda: time.sleep(60)).start()",
        "np.seterr(all='raise'); warnings.simplefilter('error')",
        "import builtins; builtins.print = None",
        "nothing = os.open(os.devnull, os.O_RDWR)\nfor n in range(3): os.dup2(nothing, n)",
        "sys.modules.clear()",
        "for name in ('json', 'numpy', 'linecache', 'engine'): sys.modules.pop(name, None)",
        "import threading; threading.Thread(target=sys.exit).start()",
        "import threading; threading.Thread(target=lambda: 1 / 0).start()",
        "sys.settrace(lambda *told: None)",
        "sys.excepthook = None",
        "os.environ.clear()",
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN); subprocess.run(['true'])",
        "signal.signal(signal.SIGPIPE, signal.SIG_DFL)",
        "signal.signal(signal.SIGINT, signal.default_int_handler)",
        "class Odd:\n    def __del__(self): raise ValueError\nodd = Odd(); del odd",
        "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))",
        "import asyncio; asyncio.run(asyncio.sleep(0))",
        "import fcntl\nfor n in range(3, 50):\n    try: os.write(n, b'rubbish\\n')\n"
        "    except OSError: pass",
        "for _ in range(2): os.fork()",
    ],
)
def test_tricks_that_leave_it_working(tmp_path: Path, trick: str) -> None:
    body = f"import os, signal, subprocess, sys, time, warnings\n{trick}\n{SQUARE}"
    with debugged(write(tmp_path, body)) as there:
        there.wait_for("stepping")
        assert there.step("next")["done"] == 1
        assert "a now, complete  6" in text(there.step("size", both=True))


def test_what_is_printed_is_in_the_log(tmp_path: Path) -> None:
    body = "import sys\nprint('out')\nprint('err', file=sys.stderr)\n"
    with debugged(write(tmp_path, body + SQUARE)) as there:
        there.wait_for("stepping")
        assert wait_until(lambda: there.printed > 0 and there.client.printed == 2, 5)
        assert list(there.client.log) == ["out", "err"]


def test_each_thing_printed_is_news(tmp_path: Path) -> None:
    """The log that lies open shows what is printed when it is printed."""
    body = (
        "import threading, time\ndef speak():\n    for i in range(3):\n        print('line', i)\n"
        "        time.sleep(0.3)\nthreading.Thread(target=speak).start()\n"
    )
    with debugged(write(tmp_path, body + SQUARE)) as there:
        there.wait_for("stepping")
        assert wait_until(lambda: there.client.printed == 3, 5)
        assert wait_until(lambda: there.printed >= 3, 1), "only the first line was told"


def test_a_flood_delays_nothing(tmp_path: Path) -> None:
    body = "for i in range(300000):\n    print('line', i)\n" + SQUARE
    with debugged(write(tmp_path, body)) as there:
        there.wait_for("stepping", within=15)
        assert there.step("next")["done"] == 1
        assert wait_until(lambda: there.client.printed == 300000, 10)
        assert len(there.client.log) == 1000
        assert there.client.log[-1] == "line 299999"
        assert there.printed < 5000


def test_a_flood_without_an_end_of_line_is_bounded(tmp_path: Path) -> None:
    body = "for i in range(20000):\n    print('x' * 1000, end='\\r')\nprint()\n" + SQUARE
    with debugged(write(tmp_path, body)) as there:
        there.wait_for("stepping", within=15)
        time.sleep(0.2)
        assert sum(map(len, there.client.log)) < 2_000_000


def ended_by_itself(there: Debugged) -> int:
    return int(there.wait_for("ended")["status"])


@pytest.mark.parametrize(
    ("end", "status"),
    [
        ("os.abort()", -signal.SIGABRT),
        ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
        ("os._exit(7)", 7),
        ("import ctypes; ctypes.string_at(0)", -signal.SIGSEGV),
    ],
)
def test_a_crash_is_told(tmp_path: Path, end: str, status: int) -> None:
    with debugged(write(tmp_path, f"import os, signal\n{end}\n")) as there:
        assert ended_by_itself(there) == status
        there.ask("next")  # goes nowhere, and harms nobody


def test_a_crash_while_stepping_is_told(tmp_path: Path) -> None:
    with debugged(write(tmp_path, LOUD_BACK.format(body="os.abort()"))) as there:
        there.wait_for("stepping")
        there.ask("next")
        assert ended_by_itself(there) == -signal.SIGABRT


def test_a_crash_is_reported_with_its_frames(tmp_path: Path) -> None:
    with debugged(write(tmp_path, "import os\ndef f():\n    os.abort()\nf()\n")) as there:
        ended = there.wait_for("ended")
    told = ending.told(str(tmp_path / "wrong.py"), ended["status"], ended["report"])
    assert (told["line"], told["function"], told["excerpt"]) == (BODY_LINE + 2, "f", "os.abort()")
    assert "SIGABRT" in told["message"]


def test_where_it_is_can_be_asked_while_it_is_busy(tmp_path: Path) -> None:
    body = LOUD_BACK.format(body="time.sleep(60)").replace("import os", "import time, os")
    with debugged(write(tmp_path, body)) as there:
        there.wait_for("stepping")
        there.client.ask_where()
        assert there.wait_for("where")["filename"] is None
        there.ask("next")
        line = BODY_LINE + 5
        assert wait_until(lambda: where(there)["line"] == line, 5)
        assert where(there)["function"] == "cube_back"
        assert where(there)["excerpt"] == "time.sleep(60)"


def where(there: Debugged) -> dict[str, Any]:
    there.client.ask_where()
    return there.wait_for("where")


def test_each_command_is_answered(tmp_path: Path) -> None:
    with debugged(write(tmp_path, LOUD_BACK.format(body="1 / 0"))) as there:
        there.wait_for("stepping")
        for command in ("next", "cursor", "training.open", "go"):  # some of which fail
            there.ask(command)
        assert there.client.sent == 4
        assert wait_until(lambda: there.answered == 4, 5)


# Another process


def test_the_same_file_read_afresh_is_a_new_process(tmp_path: Path) -> None:
    path = write(tmp_path, SQUARE)
    with debugged(path) as first:
        first.wait_for("stepping")
        write(tmp_path, SQUARE.replace("3.0", "5.0"))
        with debugged(path) as second:
            assert "loss = 25" in str(second.wait_for("stepping")["rail"][0])
        assert "loss = 9" in str(first.step("next")["rail"][0])


def test_the_graph_of_the_next_batch_is_folded_as_the_last_one() -> None:
    with debugged("mlp") as there:
        there.wait_for("stepping")
        folded = there.step("fold_all")
        there.ask("training.open")
        there.wait_for("training")
        there.ask("training.batch")
        there.ask("training.close")
        shown = there.wait_for("stepping")
        assert [row["id"] for row in shown["rail"]] == [row["id"] for row in folded["rail"]]
        assert shown["rows"] == 10
