"""Running a scenario file, and saying what is wrong with one that cannot be used."""

from __future__ import annotations

import ast
import importlib
import io
import os
import sys
import tokenize
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import engine
from scenarios import data
from tui import interrupts
from tui.errors import Refused, ScenarioError
from tui.loading import catalog, copies, error_places, own_code
from tui.loading.warned import noted
from tui.options import Options

MODULE_NAME = "__bp_tui__"

NO_ANSWER = "EOF when reading a line"
"""What the EOFError of input() says, and no other."""

LONGEST_TEXT = 2000
"""How many characters of an exception's text are told."""

_REPLACED: dict[int, Any] = {}
"""Streams that scenarios have put in the place of ours, by their ids. They are kept: one that wraps
ours would close it when it is collected."""


@dataclass
class Scenario:
    """A scenario that was loaded."""

    path: Path
    title: str
    introduction: str
    """The docstring after its first line."""
    source: list[str]
    """The file's lines."""
    namespace: dict[str, Any]
    """The module-level names."""
    loss: engine.Tensor | None
    """Where the backward pass starts; None where there is a training."""
    end_grad: Any
    training: engine.Training | None
    warned: list[str] = field(default_factory=list)
    """What NumPy warned of while the file ran."""
    warned_ahead: list[str] = field(default_factory=list)
    """And while the graph of the training's next batch was made."""

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.path.stem


Progress = Callable[[str, int, int], None]
"""Told what is being fetched, how many bytes are there, and how many there will be."""


def load(options: Options, progress: Progress | None = None) -> Scenario:
    """Run a scenario file.

    Raises:
        ScenarioError: it cannot be used; the message says what, where, and what to do.
        KeyboardInterrupt: the user gave up.
    """
    own_code.note_start()
    path = catalog.find(options.scenario)
    folder = None
    if options.data_dir is not None:  # whatever folder the scenario changes to, this one is meant
        folder = Path(os.path.abspath(os.path.expanduser(options.data_dir)))
    code, source, docstring = _compile(path)
    engine.manual_seed(options.seed)
    data.choose(options.data, folder, progress)
    with noted() as warned:
        namespace = _run(path, code, docstring)
    title = catalog.title_of(docstring) or path.stem
    introduction = docstring.strip().partition("\n")[2].strip()
    training = namespace.get("training")
    loss = namespace.get("loss")
    scenario = Scenario(
        path,
        title,
        introduction,
        source.splitlines(),
        namespace,
        loss,
        namespace.get("end_grad"),
        training,
        warned,
    )
    if training is not None:
        _prepare_training(path, training, options)
    else:
        _check_loss(path, loss)
    return scenario


def _compile(path: Path) -> tuple[Any, str, str]:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ScenarioError(f"cannot be read: {error.strerror}", str(path)) from None
    try:
        with io.TextIOWrapper(io.BytesIO(raw), encoding=_encoding(raw)) as text:
            source = text.read()
        code = compile(raw, str(path), "exec", dont_inherit=True)
        docstring = ast.get_docstring(ast.parse(raw), clean=False) or ""
    except SyntaxError as error:
        line = error.lineno if error.filename in (str(path), None) else None
        excerpt = error.text.strip() if error.text else None
        raise ScenarioError(
            f"Python does not understand this: {error.msg}", str(path), line, excerpt
        ) from None
    except (UnicodeDecodeError, LookupError, ValueError) as error:
        raise ScenarioError(
            f"this is no Python source text ({error}); a scenario is a Python file", str(path)
        ) from None
    except (RecursionError, MemoryError):
        raise ScenarioError(
            "an expression in it is nested too deeply for Python", str(path)
        ) from None
    return code, source, docstring


def _encoding(raw: bytes) -> str:
    return tokenize.detect_encoding(io.BytesIO(raw).readline)[0]


def _run(path: Path, code: Any, docstring: str) -> dict[str, Any]:
    """Run the file as a module of its own; its module-level names."""
    module = types.ModuleType(MODULE_NAME, docstring)
    module.__file__ = str(path)
    # Dataclasses, type hints and pickle look a class's module up by its name.
    sys.modules[MODULE_NAME] = module
    folder = str(path.resolve().parent)
    sys.path[:] = [folder, *(other for other in sys.path if other != folder)]
    importlib.invalidate_caches()
    argv, sys.argv = sys.argv, [str(path)]
    modules = dict(sys.modules)
    try:
        with guarded(path), engine.record_origins():
            exec(code, vars(module))
    finally:
        sys.argv = argv
        sys.modules.update(modules)  # what we import later is to be what it was
    return vars(module)


@contextmanager
def guarded(path: Path) -> Iterator[None]:
    """A block in which code of the scenario's is run, be it the file or its functions.

    It finds standard input empty, and cannot take our streams away, nor Ctrl+C.

    Raises:
        ScenarioError: what the block raised, at the innermost line that is the user's own.
        KeyboardInterrupt: the user gave up.
    """
    streams = sys.stdin, sys.stdout, sys.stderr
    sys.stdin = io.StringIO()
    try:
        with interrupts.inside_scenario(), copies.ended():
            yield
    except (ScenarioError, Refused):
        raise
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) and interrupts.are_possible():
            raise
        raise _explained(path, error) from None
    finally:
        _REPLACED.update((id(stream), stream) for stream in (sys.stdout, sys.stderr))
        for stream in _REPLACED.values():
            with suppress(Exception):  # closed, or none at all
                stream.flush()
        sys.stdin, sys.stdout, sys.stderr = streams


def _explained(path: Path, error: BaseException) -> ScenarioError:
    """What an exception of the scenario's is called, and where it came from."""
    if isinstance(error, data.DataError):
        return ScenarioError(str(error))
    cause = error.__cause__ if isinstance(error, engine.BackwardError) else None
    origin = cause or error
    place = error_places.place_of(path, error)
    if isinstance(origin, EOFError) and origin.args == (NO_ANSWER,):
        message = (
            "the scenario asks a question with input(), and nobody can answer it here; write the "
            "value into the file"
        )
    elif isinstance(error, engine.BackwardError):
        message = str(error)
    elif isinstance(error, SystemExit):
        inside = f" in {place.function}()" if place and place.function != "<module>" else ""
        message = (
            f"the scenario ended itself{inside} (SystemExit: {error.code}); let it run to its end"
        )
    elif isinstance(error, MemoryError):
        message = ": ".join(["there is not enough memory", *filter(None, [_text_of(error)])])
    elif isinstance(error, RecursionError):
        message = "the scenario calls itself without end (RecursionError)"
    else:
        message = _in_words(error)
    if place is None:
        return ScenarioError(message, str(path))
    nearby = error_places.lines_at(place, error)
    excerpt = dict(nearby).get(place.line, "").strip() or None
    return ScenarioError(message, place.filename, place.line, excerpt, nearby)


def _in_words(error: BaseException) -> str:
    return ": ".join(filter(None, [type(error).__name__, _text_of(error)]))


def _text_of(error: BaseException) -> str:
    """What an exception says; nothing where it cannot say it."""
    try:
        text = str(error)
    except KeyboardInterrupt:
        raise
    except BaseException:
        return ""
    return text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + " ..."


def _prepare_training(path: Path, training: Any, options: Options) -> None:
    if not isinstance(training, engine.Training):
        raise ScenarioError(
            f"`training` is a {type(training).__name__}, not an engine.Training(model, optimizer, "
            "train_data, test_data, loss_fn)",
            str(path),
        )
    if options.batch_size is not None:
        training.batch_size = options.batch_size
    if options.epochs is not None:
        training.epochs = options.epochs
    if options.lr is not None:
        if training.scheduler is not None:
            training.scheduler.set_base_lr(options.lr)
        else:
            training.optimizer.lr = options.lr


def look_ahead(path: Path, training: engine.Training) -> engine.LookAhead:
    """The next batch of a training, with the graph of its loss.

    Raises:
        ScenarioError: the model or the loss function fails, or the loss is none.
    """
    with guarded(path), engine.record_origins():
        ahead = training.look_ahead()
    if ahead.loss is None:
        raise ScenarioError(
            "the training's loss_fn returned None: it has to return the loss, a Tensor of one "
            "element",
            str(path),
        )
    _check_loss(path, ahead.loss)
    return ahead


def guarded_events(path: Path, training: engine.Training) -> Iterator[engine.Event]:
    """The training's events; what fails in the scenario's code becomes a ScenarioError."""
    events = training.events()
    while True:
        with guarded(path):
            event = next(events, None)
        if event is None:
            return
        yield event


def _check_loss(path: Path, loss: Any) -> None:
    if loss is None:
        raise ScenarioError(
            "there is nothing to step through: the scenario leaves no Tensor named `loss` (nor a "
            "`training`)",
            str(path),
        )
    if not isinstance(loss, engine.Tensor):
        raise ScenarioError(
            f"`loss` is a {type(loss).__name__}, not a Tensor: nothing can flow back from it",
            str(path),
        )
    if not loss.requires_grad:
        raise ScenarioError(
            "`loss` requires no grad, so there is nothing to compute: give the tensors that you "
            "want gradients for requires_grad=True, and compute it outside no_grad()",
            str(path),
        )
