"""Running a scenario file, and saying what is wrong with one that cannot be used."""

from __future__ import annotations

import ast
import builtins
import importlib
import io
import os
import sys
import tokenize
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import engine
from scenarios import data
from tui import catalog
from tui.errors import ScenarioError
from tui.options import Options

MODULE_NAME = "__bp_tui__"


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
    path = catalog.find(options.scenario)
    code, source, docstring = _compile(path)
    engine.manual_seed(options.seed)
    folder = Path(options.data_dir) if options.data_dir is not None else None
    data.choose(options.data, folder, progress)
    namespace: dict[str, Any] = {
        "__name__": MODULE_NAME,
        "__file__": str(path),
        "__doc__": docstring,
        "__builtins__": builtins,
    }
    _run(path, code, namespace)
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
    docstring = next((c for c in code.co_consts[:1] if isinstance(c, str)), "")
    return code, source, docstring if _starts_with_docstring(source) else ""


def _encoding(raw: bytes) -> str:
    return tokenize.detect_encoding(io.BytesIO(raw).readline)[0]


def _starts_with_docstring(source: str) -> bool:
    return ast.get_docstring(ast.parse(source)) is not None


def _run(path: Path, code: Any, namespace: dict[str, Any]) -> None:
    folder = str(path.resolve().parent)
    sys.path.insert(0, folder)
    importlib.invalidate_caches()
    stdin, argv = sys.stdin, sys.argv
    sys.stdin, sys.argv = io.StringIO(), [str(path)]
    try:
        with engine.record_origins():
            exec(code, namespace)
    except KeyboardInterrupt:
        raise
    except SystemExit as error:
        raise _at(
            path,
            error,
            f"the scenario ended itself (SystemExit: {error.code}); let it run to its end",
        ) from None
    except EOFError as error:
        raise _at(
            path,
            error,
            "the scenario asks a question with input(), and nobody can answer it here; write the "
            "value into the file",
        ) from None
    except data.DataError as error:
        raise ScenarioError(str(error)) from None
    except RecursionError as error:
        raise _at(path, error, "the scenario calls itself without end (RecursionError)") from None
    except BaseException as error:
        text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise _at(path, error, text) from None
    finally:
        sys.stdin, sys.argv = stdin, argv


def _at(path: Path, error: BaseException, message: str) -> ScenarioError:
    """The error, at the innermost line that is the user's own."""
    frames = traceback.extract_tb(error.__traceback__)
    folder = str(path.resolve().parent) + os.sep
    own = [f for f in frames if f.filename == str(path)]
    near = [
        f
        for f in frames
        if os.path.abspath(f.filename).startswith(folder)
        and not os.path.abspath(f.filename).startswith(_our_folders())
    ]
    if not near and not own:
        return ScenarioError(message, str(path))
    frame = (near or own)[-1]
    return ScenarioError(message, frame.filename, frame.lineno, frame.line or None)


def _our_folders() -> tuple[str, ...]:
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    return tuple(
        os.path.join(root, *parts) + os.sep
        for parts in (("engine",), ("tui",), ("scenarios", "data"))
    )


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
        training.optimizer.lr = options.lr


def look_ahead(path: Path, training: engine.Training) -> engine.LookAhead:
    """The next batch of a training, with the graph of its loss.

    Raises:
        ScenarioError: the model or the loss function fails, or the loss is none.
    """
    try:
        with engine.record_origins():
            ahead = training.look_ahead()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise _at(path, error, f"{type(error).__name__}: {error}") from None
    _check_loss(path, ahead.loss)
    return ahead


def guarded_events(path: Path, training: engine.Training) -> Iterator[engine.Event]:
    """The training's events; what fails in the scenario's code becomes a ScenarioError."""
    events = training.events()
    while True:
        try:
            event = next(events, None)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise _at(path, error, f"{type(error).__name__}: {error}") from None
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
