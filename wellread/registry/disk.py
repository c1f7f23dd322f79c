"""Files that are whole or not there.

Everything that wellread writes goes the same way: a temporary file on the same disk, the bytes, ``fsync``, one rename,
``fsync`` of the folder. A reader sees the old file or the new one, never a part; ``kill -9`` leaves at most a temporary
file, whose name starts with a dot and which nobody reads.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from wellread.errors import WellreadError

_FULL = "free some space, or choose another disk (WELLREAD_HOME, --out, --output, --hub)"
_CLOSED = "choose a place that you may write to (WELLREAD_HOME, --out, --output, --hub)"
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
    Raises WellreadError where the system refuses: the disk is full, closed to this user, the name too long.
    """
    import secrets  # who only reads needs none

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
        if isinstance(error, FileExistsError) and str(error.filename2) == str(target):
            raise  # what ``settle`` found
        raise refused(target, error) from error
    finally:
        with suppress(OSError):  # what hides the file hides the reason too
            temp.unlink()


def refused(target: Path, error: OSError) -> WellreadError:
    """The error for a file that the system does not let us write."""
    other = f" ({error.filename})" if error.filename and str(error.filename) != str(target) else ""
    advice = _ADVICE.get(error.errno or 0, _CLOSED)
    return WellreadError(f"cannot write {target}: {error.strerror or error}{other}; {advice}")


def need(folder: Path, size: int, what: str) -> None:
    """Raises WellreadError if ``size`` bytes do not fit on the disk of a folder, which need not exist yet."""
    import shutil  # brings every compression with it

    there = next(at for at in (folder, *folder.parents) if at.exists())
    free = shutil.disk_usage(there).free
    if free < size:
        raise WellreadError(f"{what} needs {size:,} bytes more and {there} has {free:,} left; {_FULL}")


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
