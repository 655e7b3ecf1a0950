"""Digests, by which a file is known again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hashlib import _Hash


def sha256(data: bytes = b"") -> _Hash:
    """The SHA-256 of what it is given: so far these bytes."""
    # It brings OpenSSL, 3.5 MB, which is for nothing where nothing is kept.
    import hashlib

    return hashlib.sha256(data)
