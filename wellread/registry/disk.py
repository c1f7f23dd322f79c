"""Files that are whole or not there.

Everything that wellread writes goes the same way: a temporary file on the same disk, the bytes, ``fsync``, one rename,
``fsync`` of the folder. A reader sees the old file or the new one, never a part; ``kill -9`` leaves at most a temporary
file, whose name starts with a dot and which nobody reads.
"""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from wellread.errors import WellreadError

_FULL = "free some space, or choose another disk (WELLREAD_HOME, --out, --hub)"
_CLOSED = "choose a place that you may write to (WELLREAD_HOME, --out, --hub)"
_ADVICE = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: _FULL,
    errno.EROFS: _CLOSED,
    errno.EACCES: _CLOSED,
    errno.EPERM: _CLOSED,
}


@contextmanager
def replacing(
    target: Path, *, temp: Path | None = None, settle: Callable[[Path, Path], object] = os.replace
) -> Iterator[BinaryIO]:
    """A file to write that becomes ``target`` when the block ends well and vanishes when it does not.

    ``settle(temp, target)`` puts it in place; ``os.link`` makes it create-only, and its FileExistsError passes.
    Raises WellreadError when the disk is full or closed to this user.
    """
    temp = temp or target.with_name(f".{target.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        for folder in (temp.parent, target.parent):
            folder.mkdir(parents=True, exist_ok=True)
        with temp.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        settle(temp, target)
        sync(target.parent)
    except OSError as error:
        if error.errno not in _ADVICE:
            raise
        raise WellreadError(f"cannot write {target}: {error.strerror}; {_ADVICE[error.errno]}") from error
    finally:
        temp.unlink(missing_ok=True)


def write(target: Path, data: bytes) -> None:
    """Put ``data`` at ``target`` in one step. Raises as ``replacing``."""
    with replacing(target) as file:
        file.write(data)


def sync(folder: Path) -> None:
    """Make the names in a folder survive a power cut, where the system can."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
