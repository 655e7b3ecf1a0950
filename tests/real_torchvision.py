"""torchvision's own MNIST class, fetching from a server on the loopback; nothing is asked for
elsewhere.

Where torch and torchvision are builds that do not match, the operators that torchvision lacks are
declared before it is imported, which is enough for its data sets; and torch's compiler, of which it
asks a single question, is left out, as importing it takes as long as all the rest.
"""

from __future__ import annotations

import functools
import hashlib
import http.server
import importlib.util
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from mnist_files import repeated, write_files

from scenarios.data import embedded
from scenarios.data.idx_folder import NAMES

NEEDED = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("torch", "torchvision")),
    reason="torch and torchvision are not installed",
)

DISCARD = "http://127.0.0.1:9/"
"""Port 9 of the loopback is for discarding; hardly any machine listens there."""

DECLARE = """
import sys
import types
import torch
library = torch.library.Library("torchvision", "DEF")
for name in ("nms", "qnms"):
    library.define(name + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
compiler = types.ModuleType("torch._dynamo")
compiler.utils = types.ModuleType("torch._dynamo.utils")
compiler.utils.is_compile_supported = lambda device: False
sys.modules.update({module.__name__: module for module in (compiler, compiler.utils)})
"""

REDIRECT = """
from torchvision.datasets import MNIST
MNIST.mirrors = [{mirror!r}]
MNIST.resources = {resources!r}
"""

ONLY_WHERE_IT_DOWNLOADS = """
import sys
if "scenarios.data.torchvision_download" in sys.orig_argv:
    exec({code!r})
"""


def imports(prelude: str = "") -> str:
    """What a fresh process says last on importing torchvision; empty for success."""
    code = prelude + "\nimport torchvision.datasets"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    return result.stderr.strip().splitlines()[-1] if result.returncode else ""


@functools.cache
def broken() -> str:
    """Why torchvision cannot be imported; empty where it can."""
    return imports()


@functools.cache
def declaration() -> str:
    """The code before which torchvision cannot be imported; empty where it needs none."""
    if not broken():
        return ""
    if imports(DECLARE):
        pytest.skip(f"torchvision cannot be made importable: {broken()}")
    return DECLARE


def redirect(startup: Path, folder: Path, address: str) -> None:
    """Have torchvision fetch from an address, in the processes that have `startup` on their path.

    Args:
        startup: a folder, to be made.
        folder: has the four .gz files as they are meant to arrive.
        address: where they are served, whole or not.
    """
    startup.mkdir()
    names = [f"{name}.gz" for name in NAMES]
    sums = [
        hashlib.md5((folder / n).read_bytes(), usedforsecurity=False).hexdigest() for n in names
    ]
    resources = list(zip(names, sums, strict=True))
    code = declaration() + REDIRECT.format(mirror=address, resources=resources)
    (startup / "sitecustomize.py").write_text(ONLY_WHERE_IT_DOWNLOADS.format(code=code))


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder: whole/ as it is, cut/ up to the half and then no more, slow/ up to the half
    and then nothing until the client has gone. Logs nothing, as the tests look at what is
    printed."""

    def do_GET(self) -> None:
        """A file, as its address says."""
        how, _, name = self.path.strip("/").partition("/")
        path = Path(self.directory, name)
        if how not in ("whole", "cut", "slow") or not path.is_file():
            self.send_error(404)
            return
        content = path.read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content if how == "whole" else content[: len(content) // 2])
        if how == "slow":
            self.wfile.flush()
            self.connection.recv(1)

    def log_message(self, format: str, *args: object) -> None:
        """Not even a request."""


class _Server(http.server.ThreadingHTTPServer):
    """Logs nothing either."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no error: torchvision asks for redirects that way."""


@contextmanager
def _serving(folder: Path) -> Iterator[str]:
    """Serve a folder; gives the address, to which whole/, cut/ or slow/ is to be added."""
    handler = functools.partial(_Handler, directory=os.fspath(folder))
    with _Server(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()


@contextmanager
def serving_mnist(folder: Path) -> Iterator[tuple[Path, str]]:
    """Serve as many images as MNIST has from a folder; gives it and its address."""
    write_files(folder, repeated(embedded.read()), compressed=True)
    with _serving(folder) as address:
        yield folder, address
