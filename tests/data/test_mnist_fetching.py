"""Fetching from end to end, with a fake torchvision on the path of the process that imports it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from scenarios.data import DataError, cache, choose, fetch, in_use, mnist
from scenarios.data.digits import Digits
from scenarios.data.fetching import TOTAL_BYTES
from scenarios.data.idx_folder import NAMES

FakeTorchvision = Callable[..., None]
WriteIdx = Callable[..., list[Path]]

ROOT = Path(__file__).resolve().parents[2]
FORBIDDEN = "raise AssertionError('torchvision is not needed')"


def copying(folder: Path) -> str:
    """A download that finds its files in `folder`."""
    return f"shutil.copytree({str(folder)!r}, raw, dirs_exist_ok=True)"


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def failure(call: Callable[[], object] = fetch) -> str:
    with pytest.raises(DataError) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_mnist_fetches_once_and_then_reads_the_cache(
    fake_torchvision: FakeTorchvision, full_folder: Path, full: Digits, cache_home: Path
) -> None:
    fake_torchvision(copying(full_folder))
    choose("torchvision")
    (images, labels), (_, test_labels) = mnist()
    used = in_use()
    assert used is not None
    assert (used.source, used.hint) == ("torchvision", "")
    assert used.text == "60,000 to train, 10,000 to test, fetched with torchvision"
    assert images.shape == (60_000, 784)
    np.testing.assert_array_equal(labels, full.train_labels)
    np.testing.assert_array_equal(test_labels, full.test_labels)
    assert os.listdir(cache_home) == ["mnist.npz"]

    fake_torchvision(on_import=FORBIDDEN)
    imported_before = {"torch", "torchvision"} & set(sys.modules)  # by other tests of the same run
    np.testing.assert_array_equal(mnist()[0][0], images)
    fetch()
    choose("auto")
    mnist()
    used = in_use()
    assert used is not None
    assert used.source == "cache"
    assert {"torch", "torchvision"} & set(sys.modules) == imported_before


def test_files_are_kept_in_the_chosen_folder(
    fake_torchvision: FakeTorchvision, full_folder: Path, tmp_path: Path, cache_home: Path
) -> None:
    fake_torchvision(copying(full_folder))
    folder = tmp_path / "new" / "data"
    choose("torchvision", folder)
    fetch()
    assert {path.name for path in (folder / "MNIST" / "raw").iterdir()} == set(NAMES)
    assert os.listdir(folder) == ["MNIST"]
    assert os.listdir(cache_home) == ["mnist.npz"]


def test_files_that_are_in_the_folder_need_no_torchvision(
    fake_torchvision: FakeTorchvision, full_folder: Path, full: Digits
) -> None:
    fake_torchvision(on_import=FORBIDDEN)
    choose("torchvision", full_folder)
    fetch()
    cached = cache.read()
    assert cached is not None
    np.testing.assert_array_equal(cached.test_images, full.test_images)


def test_missing_files_are_fetched(
    fake_torchvision: FakeTorchvision,
    full_folder: Path,
    few: Digits,
    tmp_path: Path,
    write_idx: WriteIdx,
) -> None:
    fake_torchvision(copying(full_folder))
    write_idx(tmp_path / "data" / "MNIST" / "raw", few)[0].unlink()
    choose("torchvision", tmp_path / "data")
    fetch()
    choose("auto", tmp_path / "data")
    assert len(mnist()[0][0]) == 60_000


def test_a_part_of_mnist_in_the_folder_is_refused(
    few: Digits, tmp_path: Path, write_idx: WriteIdx
) -> None:
    write_idx(tmp_path, few)
    choose("torchvision", tmp_path)
    text = failure()
    assert f"{tmp_path} holds 10 images to train and 5 to test on, not 60,000 and 10,000" in text
    assert "--data auto" in text


def test_a_damaged_cache_is_replaced(
    fake_torchvision: FakeTorchvision, full_folder: Path, cache_home: Path
) -> None:
    cache_home.mkdir(parents=True)
    cache.file().write_bytes(b"rubbish")
    fake_torchvision(copying(full_folder))
    choose("torchvision")
    mnist()
    assert cache.read() is not None


def test_progress_follows_the_growing_files(
    fake_torchvision: FakeTorchvision, full_folder: Path
) -> None:
    fake_torchvision(
        f"""
        with open(raw / "train-images-idx3-ubyte.gz", "wb") as file:
            for _ in range(4):
                file.write(bytes({TOTAL_BYTES} // 4 + 1))
                file.flush()
                time.sleep(0.25)
        {copying(full_folder)}
        """
    )
    calls: list[tuple[str, int, int]] = []
    fetch(lambda doing, done, total: calls.append((doing, done, total)))
    assert {total for _, _, total in calls} == {TOTAL_BYTES}
    done = [done for _, done, _ in calls]
    assert done == sorted(done)
    assert len(set(done)) > 2
    assert done[-1] == TOTAL_BYTES
    said = list(dict.fromkeys(doing for doing, _, _ in calls))
    assert said == [
        "starting torchvision",
        "downloading MNIST",
        "unpacking MNIST",
        "writing the cache",
    ]


def test_nothing_that_torchvision_prints_leaks(
    fake_torchvision: FakeTorchvision, full_folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    fake_torchvision(
        "print('100%'); os.write(1, b'out'); os.write(2, b'error'); print('e', file=sys.stderr)\n"
        + copying(full_folder),
        on_import="print('a warning')",
    )
    fetch()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("stop", [KeyboardInterrupt, RuntimeError])
def test_stopping_leaves_nothing_behind(
    stop: type[BaseException],
    fake_torchvision: FakeTorchvision,
    tmp_path: Path,
    cache_home: Path,
) -> None:
    """As Ctrl+C does, or a progress that does not want to go on."""
    pids = tmp_path / "pid"
    fake_torchvision(
        f"Path({str(pids)!r}).write_text(str(os.getpid()))\n"
        "(raw / 'train-images-idx3-ubyte.gz').write_bytes(b'half')\n"
        "time.sleep(60)"
    )

    def progress(doing: str, done: int, total: int) -> None:
        if done:
            raise stop

    choose("torchvision", tmp_path / "data")
    with pytest.raises(stop):
        fetch(progress)
    assert cache.read() is None
    assert files(tmp_path / "data") == files(cache_home) == []
    with pytest.raises(ProcessLookupError):
        os.kill(int(pids.read_text()), 0)


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 and sessions are POSIX")
def test_a_download_ends_with_the_process_that_wanted_it(
    fake_torchvision: FakeTorchvision, tmp_path: Path, cache_home: Path
) -> None:
    pids = tmp_path / "pid"
    fake_torchvision(f"Path({str(pids)!r}).write_text(str(os.getpid()))\ntime.sleep(60)")
    code = f"""
        import sys
        sys.path[:0] = [{str(tmp_path / "fakes")!r}, {str(ROOT)!r}]
        from scenarios.data import fetch
        fetch()
    """
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)])
    try:
        wait_until(lambda: pids.exists() and bool(pids.read_text()))
        child = int(pids.read_text())
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    wait_until(lambda: not os.listdir(cache_home))
    wait_until(lambda: has_ended(child))


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def has_ended(pid: int) -> bool:
    """Also where nobody has asked for its exit code yet."""
    try:
        os.kill(pid, 0)
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return status.rpartition(")")[2].split()[0] == "Z"


def test_not_installed(fake_torchvision: FakeTorchvision, cache_home: Path) -> None:
    fake_torchvision(
        on_import="raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')"
    )
    choose("torchvision")
    assert failure(mnist) == "torch is not installed; pip install 'bp-tui[mnist]'"
    assert in_use() is None
    assert files(cache_home) == []


def test_broken_builds(fake_torchvision: FakeTorchvision) -> None:
    fake_torchvision(on_import="raise RuntimeError('operator torchvision::nms does not exist')")
    text = failure()
    assert "RuntimeError: operator torchvision::nms does not exist" in text
    assert "reinstall the two together" in text


def test_no_network(fake_torchvision: FakeTorchvision) -> None:
    fake_torchvision("import urllib.error; raise urllib.error.URLError('no route')")
    assert "could not be downloaded (<urlopen error no route>); try again when" in failure()


@pytest.mark.parametrize(
    ("crash", "said"),
    [
        ("os.abort()", "exit -6"),
        ("print('the last line', file=sys.stderr); os._exit(3)", "exit 3: the last line"),
    ],
)
def test_a_crash(crash: str, said: str, fake_torchvision: FakeTorchvision) -> None:
    fake_torchvision(crash)
    text = failure()
    assert text.startswith("torchvision crashed")
    assert said in text
    assert "reinstall the two together" in text


def test_an_interpreter_that_cannot_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert "/nowhere/python cannot be started" in failure()


def test_a_damaged_delivery(
    fake_torchvision: FakeTorchvision, full_folder: Path, tmp_path: Path
) -> None:
    fake_torchvision(
        copying(full_folder) + "\nos.truncate(raw / 't10k-images-idx3-ubyte', 1_000_000)"
    )
    choose("torchvision", tmp_path / "data")
    text = failure()
    assert text.startswith("torchvision left no sound files: ")
    assert "t10k-images-idx3-ubyte is damaged (it is cut short" in text
    assert text.endswith("; try again")
    assert cache.read() is None
    assert files(tmp_path / "data") == []


def test_an_incomplete_delivery(
    fake_torchvision: FakeTorchvision, few: Digits, tmp_path: Path, write_idx: WriteIdx
) -> None:
    write_idx(tmp_path / "few", few)
    fake_torchvision(copying(tmp_path / "few"))
    assert "fetched only 10 images to train and 5 to test on; try again" in failure()
    (tmp_path / "few" / NAMES[1]).unlink()
    assert f"lacks {NAMES[1]}" in failure()


def test_a_cache_directory_that_cannot_be_made(cache_home: Path) -> None:
    cache_home.parent.write_text("a file in the way")
    assert failure().startswith(f"cannot write to {cache_home} (")


def test_a_folder_that_cannot_be_written(
    fake_torchvision: FakeTorchvision, full_folder: Path, tmp_path: Path
) -> None:
    fake_torchvision(copying(full_folder))
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "MNIST").write_text("a file in the way")
    choose("torchvision", folder)
    assert failure().startswith(f"cannot write to {folder / 'MNIST' / 'raw'} (")


def test_the_process_imports_from_where_this_one_does(
    fake_torchvision: FakeTorchvision,
    full_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also where the current directory has files with the names of modules."""
    fake_torchvision(copying(full_folder))
    for name in ("json", "numpy", "torchvision"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the wrong one')")
    monkeypatch.chdir(tmp_path)
    fetch()
    assert cache.read() is not None
