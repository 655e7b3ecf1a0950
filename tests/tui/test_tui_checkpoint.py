"""The file of a checkpoint: what it holds, who else can read it, and what is refused."""

from __future__ import annotations

import hashlib
import io
import json
import math
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of
from tui_support import load

from tui.errors import ScenarioError
from tui.session.training import checkpoint, checkpoint_file

HEADER = {"position": 3, "run": {"seed": 0}}
STATE = {"model": {"a.weight": np.arange(6, dtype=np.float32).reshape(2, 3)}, "losses": [0.5]}

FILES = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / checkpoint_file.NAME
    checkpoint.save(path, HEADER, STATE)
    return path


def refused(path: Path) -> str:
    """The message with which a file is refused; both ways to read it say the same."""
    messages = []
    for read in (checkpoint.load, checkpoint_file.read_header):
        with pytest.raises(ScenarioError) as raised:
            read(path)
        messages.append(str(raised.value))
    assert messages[0] == messages[1]
    return messages[0]


def same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray | np.generic):
        return (
            type(a) is type(b)
            and a.dtype == b.dtype
            and a.shape == b.shape
            and a.tobytes() == b.tobytes()
        )
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float) and math.isnan(a):
        return isinstance(b, float) and math.isnan(b)
    return type(a) is type(b) and bool(a == b)


leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | arrays_of.arrays(
        st.sampled_from(["f4", "f8", "i8", "?", "c8", "U3"]), arrays_of.array_shapes(min_dims=0)
    )
    | st.floats(width=32).map(np.float32)
)
trees = st.recursive(
    leaves,
    lambda parts: (
        st.lists(parts, max_size=3)
        | st.tuples(parts)
        | st.dictionaries(st.text(max_size=3) | st.integers(), parts, max_size=3)
        | st.dictionaries(st.sampled_from(["$array", "$dict", "", "a", "a.b"]), parts, max_size=2)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=4), trees, max_size=4))
@FILES
def test_whatever_is_kept_comes_back(tmp_path: Path, state: dict[str, Any]) -> None:
    path = tmp_path / "checkpoint.npz"
    checkpoint.save(path, {"position": 1}, state)
    header, found = checkpoint.load(path)
    assert (header["program"], header["format"], header["position"]) == ("bp-tui", 1, 1)
    assert same(found, state)


def test_the_same_state_gives_the_same_bytes(path: Path) -> None:
    before = path.read_bytes()
    checkpoint.save(path, HEADER, STATE)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_any_reader_of_npz_reads_it(path: Path) -> None:
    with np.load(path) as kept:
        assert (kept["model.a.weight"] == STATE["model"]["a.weight"]).all()  # type: ignore[call-overload, index]
        assert json.loads(kept["checkpoint.json"])["position"] == 3


def test_weights_go_to_pytorch_and_come_back(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    import engine

    class Theirs(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.linear1 = torch.nn.Linear(784, 64)
            self.linear2 = torch.nn.Linear(64, 64)
            self.output = torch.nn.Linear(64, 10)

        def forward(self, x: Any) -> Any:
            return self.output(self.linear2(self.linear1(x).relu()).relu())

    training = load("mlp").training
    assert training is not None
    for _ in range(20):
        training.step()
    path = tmp_path / "checkpoint.npz"
    checkpoint.save(path, {}, training.state_dict())
    theirs = Theirs()
    # As the README says it.
    kept = np.load(path)
    theirs.load_state_dict(
        {k[6:]: torch.from_numpy(v) for k, v in kept.items() if k.startswith("model.")}
    )
    images = training.train_data[0][:32]
    ours = training.model(engine.Tensor(images)).array
    with torch.no_grad():
        np.testing.assert_allclose(
            theirs(torch.from_numpy(images)).numpy(), ours, rtol=1e-4, atol=1e-5
        )
    other = load("mlp", seed=4).training
    assert other is not None
    other.model.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    assert (other.model(engine.Tensor(images)).array == ours).all()


# What is refused


@given(st.data())
@FILES
def test_a_flipped_bit_anywhere_is_seen(path: Path, data: st.DataObject) -> None:
    whole = path.read_bytes()
    where = data.draw(st.integers(0, len(whole) * 8 - 1))
    damaged = bytearray(whole)
    damaged[where // 8] ^= 1 << where % 8
    try:
        path.write_bytes(bytes(damaged))
        assert "cannot be used" in refused(path)
        assert str(path) in refused(path)
    finally:
        path.write_bytes(whole)


@given(st.data())
@FILES
def test_a_file_that_is_cut_off_is_refused(path: Path, data: st.DataObject) -> None:
    whole = path.read_bytes()
    try:
        path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
        assert "cut off" in refused(path)
    finally:
        path.write_bytes(whole)


@given(st.binary(max_size=400))
@FILES
def test_rubbish_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "checkpoint.npz"
    path.write_bytes(content)
    told = refused(path)
    assert told.startswith(f"{path}: this checkpoint cannot be used: ")
    assert "another folder" in told


def signed(path: Path, entries: dict[str, bytes]) -> None:
    """An archive of other content whose checksum is right."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.comment = checkpoint_file.COMMENT + b"0" * checkpoint_file.DIGITS
        for name, content in entries.items():
            archive.writestr(name, content)
    digits = hashlib.sha256(file.getvalue()).hexdigest().encode()
    path.write_bytes(file.getvalue()[: -checkpoint_file.DIGITS] + digits)


def as_npy(array: np.ndarray[Any, Any], allow_pickle: bool = False) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, array, allow_pickle=allow_pickle)
    return file.getvalue()


def header(**changes: Any) -> bytes:
    return json.dumps({"program": "bp-tui", "format": 1, "state": {}, **changes}).encode()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "no bp-tui has written it"),
        (b"[1]", "no bp-tui has written it"),
        (b"[" * 100_000, "no bp-tui has written it"),
        (header(program="np"), "no bp-tui has written it"),
        (header(format=2), "another version of bp-tui has written it (format 2; this one reads"),
        (header(format=None), "another version"),
    ],
)
def test_a_header_of_another_kind_is_refused(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "checkpoint.npz"
    signed(path, {"checkpoint.json": content})
    assert told in refused(path)


def test_an_archive_without_a_header_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.npz"
    signed(path, {"a.npy": as_npy(np.zeros(2))})
    assert "no archive of ours" in refused(path)
    path.write_bytes(b"x" * 50 + checkpoint_file.COMMENT + b"0" * 64)
    assert "it is damaged" in refused(path)


class Evil:
    """Does harm when it is unpickled."""

    def __reduce__(self) -> Any:
        return (pytest.fail, ("it was unpickled",))


@pytest.mark.parametrize(
    "state",
    [
        None,
        [1],
        {"$array": "a"},
        {"a": {"$array": "gone"}},
        {"a": {"$array": "evil"}},
        {"a": {"$array": "pickle"}},
        {"a": {"$array": "huge"}},
        {"a": {"$array": "odd"}},
        {"a": {"$array": "text"}},
        {"a": {"$array": ["x"]}},
        {"a": {"$dict": 3}},
        {"a": {"$dict": [[[1], 2]]}},
        {"a": {"$tuple": None}},
        {"a": {"$other": 1}},
    ],
)
def test_a_state_of_another_kind_is_refused(tmp_path: Path, state: Any) -> None:
    path = tmp_path / "checkpoint.npz"
    huge = io.BytesIO()
    shape = {"descr": "<f8", "fortran_order": False, "shape": (3 * 10**11,)}
    np.lib.format.write_array_header_1_0(huge, shape)
    evil = np.array([Evil()])
    entries = {
        "checkpoint.json": header(state=state),
        "evil.npy": as_npy(evil, allow_pickle=True),
        "pickle.npy": pickle.dumps(3),
        "huge.npy": huge.getvalue(),
        "odd.npy": as_npy(np.zeros(3)).replace(b"(3,)", b"((3,"),
        "text.npy": b"text",
        "a.npy": as_npy(np.zeros(2)),
    }
    signed(path, entries)
    with pytest.raises(ScenarioError, match="its content is not what it has to be"):
        checkpoint.load(path)


def test_there_is_none(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.npz"
    assert "there is no training in this folder" in refused(path)
    assert str(tmp_path) in refused(path)
    assert "there is no training" in refused(tmp_path / "gone" / "checkpoint.npz")
    path.mkdir()
    assert "there is no training" in refused(path)


def test_one_that_cannot_be_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(checkpoint_file, "_check_sum", fail)
    assert refused(path) == f"{path}: cannot be read: Input/output error"


def test_a_write_that_fails_leaves_the_one_before(path: Path) -> None:
    before = path.read_bytes()

    def fail(file: Any) -> None:
        file.write(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        checkpoint_file.write(path, HEADER, {"a": fail})
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]
