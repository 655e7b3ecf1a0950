"""What is not whole yet: removed once its process has been killed, and not before."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scenarios.data import cache, parts
from scenarios.data.digits import Digits

ROOT = str(Path(__file__).resolve().parents[2])

WRITES = {
    "a file": "with parts.file(home / 'mnist.npz') as part:\n"
    "    part.write(b'half'); part.flush(); wait(); part.write(b' whole')\n",
    "a folder": "with parts.folder(home) as part:\n"
    "    (part / 'raw').mkdir(); (part / 'raw' / 'images').write_bytes(b'half'); wait()\n",
}
"""What another process does: it waits in the middle."""


@contextmanager
def writing(what: str, home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that is in the middle of writing, and goes on once it reads a line."""
    code = (
        "import sys\nfrom pathlib import Path\nfrom scenarios.data import parts\n"
        "def wait():\n    print(flush=True); sys.stdin.readline()\n"
        f"home = Path({str(home)!r})\n{WRITES[what]}"
    )
    home.mkdir(parents=True, exist_ok=True)
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"\n"
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("what", WRITES)
def test_what_a_killed_process_left_is_removed_at_the_next_writing(
    what: str, few: Digits, cache_home: Path
) -> None:
    with writing(what, cache_home) as process:
        process.send_signal(signal.SIGKILL)
    assert [path.suffix for path in cache_home.iterdir()] == [".part"]
    cache.write(few)
    assert os.listdir(cache_home) == ["mnist.npz"]


@pytest.mark.parametrize("what", WRITES)
def test_what_another_process_is_writing_is_left_alone(
    what: str, few: Digits, cache_home: Path
) -> None:
    with writing(what, cache_home) as process:
        (its,) = cache_home.iterdir()
        cache.write(few)
        with parts.folder(cache_home):
            assert its.exists()
        assert sorted(cache_home.iterdir()) == sorted([its, cache.file()])
        process.communicate(b"\n")
        assert process.returncode == 0
    assert os.listdir(cache_home) == ["mnist.npz"]
    if what == "a file":
        assert cache.file().read_bytes() == b"half whole"


def test_a_folder_of_the_users_keeps_its_files(tmp_path: Path) -> None:
    with writing("a folder", tmp_path / "mine") as process:
        process.send_signal(signal.SIGKILL)
    kept = tmp_path / "mine" / "mnist-original.part"
    kept.touch()
    with parts.folder(tmp_path / "mine") as part:
        assert sorted(part.parent.iterdir()) == sorted([kept, part])
    assert list(kept.parent.iterdir()) == [kept]


def test_what_has_another_name_stays(few: Digits, cache_home: Path) -> None:
    others = ["mnist-abc.part", "mnist.part", "other-12345678.part", "mnist-12345678.npz"]
    cache_home.mkdir(parents=True)
    for name in others:
        (cache_home / name).touch()
    cache.write(few)
    assert sorted(os.listdir(cache_home)) == sorted([*others, "mnist.npz"])


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_one_that_is_removed_before_it_is_locked_is_made_again(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, calls = parts._lock, []

    def late(descriptor: int, wait: bool) -> bool:
        if wait and not calls:
            calls.append(descriptor)
            parts.remove_leftovers(tmp_path)  # as another process does
            assert not list(tmp_path.iterdir())
        return lock(descriptor, wait)

    monkeypatch.setattr(parts, "_lock", late)
    if kind == "file":
        with parts.file(tmp_path / "goal") as part:
            part.write(b"whole")
        assert (tmp_path / "goal").read_bytes() == b"whole"
    else:
        with parts.folder(tmp_path) as made:
            assert list(tmp_path.iterdir()) == [made]
    assert calls


def test_without_locks_nothing_is_taken_for_left_over(
    few: Digits, cache_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with writing("a file", cache_home) as process:
        process.send_signal(signal.SIGKILL)
    monkeypatch.setattr(parts, "fcntl", None)
    cache.write(few)
    assert len(os.listdir(cache_home)) == 2
