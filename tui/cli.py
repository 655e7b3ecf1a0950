"""The command line. What it does not need at once it imports late: --help has to be quick."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import errno
import io
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn, TextIO

from tui import __version__
from tui.errors import ScenarioError
from tui.options import DATA, Options
from tui.process import blas_threads

DONE, CHECK_FAILED, UNUSABLE, INTERRUPTED = 0, 1, 2, 130

EPILOG = """\
keys on the screen: n next, p back, c continue, t train, ? all keys, q quit
exit codes: 0 done, 1 a check failed or --break ended a trace, 2 command line or scenario cannot be
used or a command in a script was refused, 130 interrupted
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program; returns the exit code."""
    code = _main(argv)
    if argv is None:
        from tui import interrupts

        interrupts.leave_threads_behind(code)
    return code


def _main(argv: Sequence[str] | None) -> int:
    os.environ.update(blas_threads(os.environ))
    try:
        _prepare_streams()
        try:
            return _run(list(sys.argv[1:] if argv is None else argv))
        finally:
            if not sys.stdout.closed:
                sys.stdout.flush()
    except ScenarioError as error:
        _say(str(error))
        if error.excerpt:
            print(f"    {error.excerpt}", file=sys.stderr)
        return UNUSABLE
    except KeyboardInterrupt:
        _say("interrupted")
        return INTERRUPTED
    except RuntimeError as error:
        # What Python 3.11 makes of Ctrl+C while a class of a module that is imported is made.
        if not isinstance(error.__cause__, KeyboardInterrupt):
            raise
        _say("interrupted")
        return INTERRUPTED
    except OSError as error:
        # Python would complain once more on flushing at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        if isinstance(error, BrokenPipeError):  # whoever read the output has enough
            return DONE
        is_full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        if is_full and error.filename is None:
            _say(f"what is to be printed cannot be written: {error.strerror}")
        else:
            _say(str(error))
        return UNUSABLE


def _prepare_streams() -> None:
    """Have all three standard streams, with every character written somehow."""
    # Where one is closed, as by `<&-`, the next file that is opened takes its number.
    if sys.stdin is None:
        sys.stdin = os.fdopen(os.open(os.devnull, os.O_RDONLY))
    if sys.stdout is None:
        raise OSError("standard output is closed")
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _say(message: str) -> None:
    print(f"bp-tui: {message}", file=sys.stderr)


def _run(argv: list[str]) -> int:
    parser = _parser()
    given = parser.parse_args(argv)
    if given.threads is not None:
        os.environ.update(blas_threads(os.environ, given.threads))
    _check_combination(parser, given)
    if given.list:
        from tui.commands.listing import list_scenarios

        return list_scenarios(given.json)
    options = _options(given)
    if options is not None and given.train:
        from tui.commands.train import train

        with _without_screen() as out:
            return train(options, given.json, out)
    if options is not None and given.check:
        from tui.commands.check import check

        with _without_screen() as out:
            return check(options, given.json, out)
    if given.plain:
        from tui.plain.mode import run

        return run(options or _given_options(given))
    why = None if given.trace else _no_screen_because()
    if why is None and not given.trace:
        from tui.launch import launch

        return launch(
            options or _given_options(given),
            picks=options is None,
            mouse=given.mouse,
            fast=given.fast,
        )
    if options is not None and options.out is not None:
        parser.error(f"{why}, so --out and --resume need --train")
    if options is None:
        parser.error(f"{why}, so name a scenario (--list shows the bundled ones)")
    if why is not None:
        _say(f"{why}, so this is what --trace prints (--plain steps through it line by line)")
    from tui.commands.trace import trace

    with _without_screen() as out:
        return trace(options, given.json, given.full, out)


def _options(given: argparse.Namespace) -> Options | None:
    """What is to be loaded, and how; None where the user is to pick a scenario.

    Raises:
        ScenarioError: what --out or --resume name cannot be used.
    """
    if given.resume is not None:
        from tui.session.training.resuming import options_of_run

        options = options_of_run(Path(given.resume).absolute(), given)
        breaks, watches = tuple(given.break_at), tuple(given.watch)
        return dataclasses.replace(options, breaks=breaks, watches=watches)
    if given.scenario is None:
        return None
    options = _given_options(given)
    if given.out is None:
        return options
    from tui.session.training.resuming import check_new

    out = Path(given.out).absolute()
    check_new(out)
    return dataclasses.replace(options, out=str(out), checkpoint_every=given.checkpoint_every)


def _given_options(given: argparse.Namespace) -> Options:
    """How a scenario is to be loaded: the one that is named, or whichever the user picks."""
    return Options(
        scenario=given.scenario or "",
        seed=given.seed or 0,
        data=given.data or "auto",
        data_dir=given.data_dir,
        batch_size=given.batch_size,
        epochs=given.epochs,
        lr=given.lr,
        breaks=tuple(given.break_at),
        watches=tuple(given.watch),
    )


@contextlib.contextmanager
def _without_screen() -> Iterator[TextIO]:
    """Standard output for a command that shows no screen; Ctrl+C ends it at once, and a crash of
    the interpreter names the line."""
    import faulthandler

    from tui import interrupts
    from tui.commands.output import own_output

    if not faulthandler.is_enabled():
        faulthandler.enable(2, all_threads=False)
    with interrupts.heard(), own_output() as out:
        yield out


def _no_screen_because() -> str | None:
    if os.environ.get("TERM") == "dumb":
        return "TERM is dumb"
    if not sys.stdout.isatty():
        return "standard output is no terminal"
    if not sys.stdin.isatty():
        return "standard input is no terminal"
    return None


class _Parser(argparse.ArgumentParser):
    """Errors are one line, with the way to help."""

    def error(self, message: str) -> NoReturn:
        print(f"bp-tui: {message} (bp-tui --help shows the options)", file=sys.stderr)
        raise SystemExit(UNUSABLE)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="bp-tui",
        description="Step through a backward pass in the terminal, node by node, then train.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "scenario", nargs="?", help="a Python file, or the name of a bundled scenario"
    )
    parser.add_argument("--list", action="store_true", help="show the bundled scenarios")
    parser.add_argument(
        "--trace", action="store_true", help="no screen: print every step of the backward pass"
    )
    parser.add_argument(
        "--check", action="store_true", help="no screen: is every backward function right?"
    )
    parser.add_argument("--train", action="store_true", help="no screen: run the training")
    parser.add_argument(
        "--plain",
        action="store_true",
        help="no screen: the same commands and numbers line by line, for screen readers, dumb "
        "terminals and scripts",
    )
    parser.add_argument(
        "--json", action="store_true", help="with --list, --trace, --check, --train: lines of JSON"
    )
    parser.add_argument(
        "--full", action="store_true", help="with --trace --json: all elements of all arrays"
    )
    parser.add_argument(
        "--seed", type=_whole(0), metavar="N", help="of the random numbers (default 0)"
    )
    parser.add_argument(
        "--data",
        choices=DATA,
        help="which MNIST (default auto: the full set where it is there, else the embedded part)",
    )
    parser.add_argument(
        "--data-dir", metavar="DIR", help="a folder with the IDX files, as torchvision lays them"
    )
    parser.add_argument(
        "--batch-size", type=_whole(1), metavar="N", help="replaces the scenario's own"
    )
    parser.add_argument("--epochs", type=_whole(1), metavar="N", help="replaces the scenario's own")
    parser.add_argument("--lr", type=_rate, metavar="X", help="replaces the scenario's own")
    parser.add_argument(
        "--out", metavar="DIR", help="keep the training in this folder: checkpoints and metrics"
    )
    parser.add_argument(
        "--resume", metavar="DIR", help="go on with the training that is kept in this folder"
    )
    parser.add_argument(
        "--checkpoint-every",
        type=_whole(1),
        metavar="N",
        help="with --out or --resume: a checkpoint every N batches, not only after each epoch",
    )
    parser.add_argument(
        "--break",
        action="append",
        default=[],
        dest="break_at",
        metavar="WHERE",
        help="stop there: a condition such as 'isnan(grad_out)', or 'op matmul', 'name linear*', "
        "'node 12' (repeatable; with --trace: end there, exit code 1)",
    )
    parser.add_argument(
        "--watch",
        action="append",
        default=[],
        metavar="NAME",
        help="show the gradients of these nodes all the time (repeatable)",
    )
    parser.add_argument(
        "--threads", type=_whole(1), metavar="N", help="of NumPy's BLAS (default 1)"
    )
    parser.add_argument("--mouse", action="store_true", help="follow the mouse over SSH, too")
    parser.add_argument(
        "--fast", action="store_true", help="refresh over SSH as often as on a local screen"
    )
    parser.add_argument("--version", action="version", version=f"bp-tui {__version__}")
    return parser


def _check_combination(parser: argparse.ArgumentParser, given: argparse.Namespace) -> None:
    modes = [name for name in ("list", "trace", "check", "train", "plain") if getattr(given, name)]
    if len(modes) > 1:
        parser.error(f"--{modes[0]} and --{modes[1]} do not go together")
    _check_keeping(parser, given, modes)
    needs_one = modes and modes[0] not in ("list", "plain")
    if needs_one and given.scenario is None and given.resume is None:
        parser.error(f"--{modes[0]} needs a scenario (--list shows the bundled ones)")
    if given.list and given.scenario is not None:
        parser.error("--list takes no scenario")
    if given.full and not (given.trace and given.json):
        parser.error("--full goes with --trace --json")
    if given.break_at and modes not in ([], ["trace"], ["plain"]):
        parser.error("--break goes with the screen, with --plain or with --trace")
    if given.watch and modes not in ([], ["plain"]):
        parser.error("--watch goes with the screen or with --plain")
    for name in ("mouse", "fast"):
        if getattr(given, name) and modes:
            parser.error(f"--{name} goes with the screen")
    _check_expressions("--break", given.break_at)
    _check_expressions("--watch", given.watch)
    if given.json and modes in ([], ["plain"]):
        parser.error("--json goes with --list, --trace, --check or --train")


def _check_keeping(
    parser: argparse.ArgumentParser, given: argparse.Namespace, modes: list[str]
) -> None:
    named = [name for name in ("out", "resume") if getattr(given, name) is not None]
    if len(named) > 1:
        parser.error("--out starts a training and --resume goes on with one: give one of them")
    if named and modes not in ([], ["train"], ["plain"]):
        parser.error(f"--{named[0]} goes with the screen, with --plain or with --train")
    if given.out is not None and given.scenario is None:
        parser.error("--out needs a scenario (--list shows the bundled ones)")
    if given.checkpoint_every is not None and not named:
        parser.error("--checkpoint-every goes with --out or --resume")


def _check_expressions(option: str, texts: Sequence[str]) -> None:
    """End the program where one of these cannot be parsed, pointing at the place."""
    if not texts:
        return
    from tui.session.breaking.entries import parse_stop, parse_watch
    from tui.session.breaking.syntax import ExpressionError

    for text in texts:
        try:
            (parse_stop if option == "--break" else parse_watch)(text)
        except ExpressionError as error:
            _say(f"{option}: {error}")
            if text.isprintable():
                print(f"    {text}\n    {error.pointer}", file=sys.stderr)
            raise SystemExit(UNUSABLE) from None


def _whole(least: int):  # type: ignore[no-untyped-def]
    def whole(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least}")
        return value

    return whole


def _rate(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no learning rate (a number from 0)")
    return value


if __name__ == "__main__":
    raise SystemExit(main())
