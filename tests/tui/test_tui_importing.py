"""What is imported quickly, and what is left out."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Iterator

import pytest
from tui_support import environment

from tui.process.importing import ALLOCATIONS, uncollected, without, without_openssl


@pytest.fixture
def own_collector() -> Iterator[None]:
    """The garbage collector is afterwards as before."""
    threshold = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*threshold)


@pytest.mark.usefixtures("own_collector")
def test_no_garbage_is_looked_for_meanwhile_and_then_again() -> None:
    before = gc.get_threshold()
    with uncollected():
        assert not gc.isenabled()
    assert gc.isenabled()
    assert gc.get_freeze_count()
    assert gc.get_threshold() == (ALLOCATIONS, *before[1:])


@pytest.mark.usefixtures("own_collector")
def test_garbage_is_looked_for_again_after_an_import_that_fails() -> None:
    with pytest.raises(ModuleNotFoundError), uncollected():
        import there_is_no_such_module  # type: ignore[import-not-found] # noqa: F401
    assert gc.isenabled()


def test_what_has_been_imported_before_stays() -> None:
    with without("json"):
        import json
    assert sys.modules["json"] is json
    import secrets

    with without_openssl():
        assert sys.modules["secrets"] is secrets
    assert sys.modules["secrets"] is secrets


LEFT_OUT = """
import sys
from tui.process.importing import without
with without("ssl"):
    import asyncio
    from tui.app import BpTui
assert "ssl" not in sys.modules
assert asyncio.run(asyncio.sleep(0, "runs")) == "runs"
import ssl
print(ssl.SSLContext.__name__)
"""


WITHOUT_OPENSSL = """
import sys
from tui.process.importing import without_openssl
with without_openssl():
    from tui.process.main import main
assert not {"_hashlib", "_ssl", "secrets"} & set(sys.modules)
import numpy as np
assert np.random.default_rng().random() != np.random.default_rng().random()
import hashlib, secrets
hashlib.new("sha512_256")
print(len(secrets.token_hex(8)))
"""


@pytest.mark.parametrize(
    ("program", "said"), [(LEFT_OUT, "SSLContext\n"), (WITHOUT_OPENSSL, "16\n")]
)
def test_what_is_left_out_whoever_wants_it_gets(program: str, said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == (said, "")
