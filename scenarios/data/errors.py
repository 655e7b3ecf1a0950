"""What is raised when MNIST cannot be had, always with the way out."""

from __future__ import annotations

import errno
from pathlib import Path

# Errors of the place that is written to, as opposed to those of a connection.
STORAGE_ERRNOS = frozenset(
    {
        errno.EACCES,
        errno.EDQUOT,
        errno.EEXIST,
        errno.EFBIG,
        errno.EIO,
        errno.EISDIR,
        errno.ENOENT,
        errno.ENOSPC,
        errno.ENOTDIR,
        errno.EPERM,
        errno.EROFS,
    }
)


class DataError(ValueError):
    """One line that says what is wrong, where, and how to mend it.

    Attributes:
        problem: What is wrong, with the file or folder concerned.
        mend: What the user can do about it.
    """

    def __init__(self, problem: str, mend: str) -> None:
        super().__init__(problem, mend)
        self.problem = " ".join(problem.split())
        self.mend = " ".join(mend.split())

    def __str__(self) -> str:
        return f"{self.problem}; {self.mend}"


def storage_error(place: Path, error: OSError) -> DataError:
    """The DataError for a folder that cannot be written.

    Args:
        place: The folder.
        error: What the operating system said about it or something in it.
    """
    reason = error.strerror or str(error) or type(error).__name__
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        mend = "free about 150 MB there"
    else:
        mend = "make it a folder that you may write to"
    return DataError(f"cannot write to {place} ({reason})", mend)
