"""The file of a checkpoint: an uncompressed .npz with a header and a checksum.

It is a zip archive of `.npy` arrays, as `numpy.load` reads, and of one text, `checkpoint.json`: the
header. The archive's comment ends with the SHA-256 of the whole file, computed with zeros in the
place of its own digits. What is here needs no NumPy: the screen's process reads headers, too.
"""

from __future__ import annotations

import contextlib
import json
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from tui import files
from tui.errors import ScenarioError
from tui.session.training.digests import sha256

Json = dict[str, Any]

NAME = "checkpoint.npz"

HEADER = "checkpoint.json"

PROGRAM, FORMAT = "bp-tui", 1
"""Are in each header. The format changes where an older program could not go on from a file."""

COMMENT = b"bp-tui checkpoint, SHA-256 "
DIGITS = 64

PIECE = 2**20
"""How many bytes are read at once."""

MEND = (
    "nothing of it was used; bring back a sound copy of the file, or train anew with --out and "
    "another folder"
)


def write(path: Path, header: Json, arrays: Mapping[str, Callable[[IO[bytes]], None]]) -> None:
    """Write a checkpoint, whole or not at all.

    Args:
        path: the file, in a folder that is there.
        header: JSON; program and format are added to it.
        arrays: for each name what writes the array as `.npy`.

    Raises:
        OSError: it cannot be written.
    """
    text = json.dumps({"program": PROGRAM, "format": FORMAT, **header})
    with files.replacing(path, durable=True) as file:
        hashed = _Hashed(file)
        with zipfile.ZipFile(hashed, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[call-overload]
            archive.comment = COMMENT + b"0" * DIGITS
            archive.writestr(zipfile.ZipInfo(HEADER), text)
            for name, write_array in arrays.items():
                entry = zipfile.ZipInfo(f"{name}.npy")
                with archive.open(entry, "w", force_zip64=True) as part:
                    write_array(part)
        file.seek(-DIGITS, os.SEEK_END)
        file.write(hashed.sha.hexdigest().encode())


def read_header(path: Path) -> Json:
    """The header of a checkpoint.

    Raises:
        ScenarioError: there is none, or it cannot be used; the message says which file and why.
    """
    with opened(path) as (_, header):
        return header


@contextlib.contextmanager
def opened(path: Path) -> Iterator[tuple[zipfile.ZipFile, Json]]:
    """The archive and the header of a checkpoint that is whole and of a kind that can be read.

    Raises:
        ScenarioError: there is none, or it cannot be used; the message says which file and why.
    """
    try:
        if not path.is_file():
            raise FileNotFoundError
        with open(path, "rb") as file:
            _check_sum(path, file)
            try:
                with zipfile.ZipFile(file) as archive:
                    yield archive, _header(path, archive.read(HEADER))
            except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError) as error:
                raise unusable(path, f"it is no archive of ours ({error})") from None
    except FileNotFoundError:
        raise ScenarioError(
            f"there is no training in this folder to go on from: it has no file {NAME} (--out "
            "starts one)",
            str(path.parent),
        ) from None
    except OSError as error:
        raise ScenarioError(f"cannot be read: {error.strerror}", str(path)) from None


def unusable(path: Path, why: str) -> ScenarioError:
    """The error for a checkpoint that cannot be gone on from."""
    return ScenarioError(f"this checkpoint cannot be used: {why}; {MEND}", str(path))


class _Hashed:
    """Writes to a file, and knows the SHA-256 of what was written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.sha = sha256()

    def write(self, data: Any) -> int:
        self.sha.update(data)
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()


def _check_sum(path: Path, file: IO[bytes]) -> None:
    left = max(0, os.fstat(file.fileno()).st_size - DIGITS)
    sha, end = sha256(), b""
    while left and (piece := file.read(min(PIECE, left))):
        sha.update(piece)
        end = (end + piece)[-len(COMMENT) :]
        left -= len(piece)
    digits = file.read(DIGITS)
    if left or end != COMMENT:
        raise unusable(path, "it does not end as a checkpoint does, so it is cut off, or is none")
    sha.update(b"0" * DIGITS)
    if sha.hexdigest().encode() != digits:
        raise unusable(path, "it is damaged (its checksum is another one than that of its content)")


def _header(path: Path, text: bytes) -> Json:
    try:
        header = json.loads(text)
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict) or header.get("program") != PROGRAM:
        raise unusable(path, "no bp-tui has written it")
    if header.get("format") != FORMAT:
        raise unusable(
            path,
            f"another version of bp-tui has written it (format {header.get('format')}; this one "
            f"reads format {FORMAT})",
        )
    return header
