"""The lock of a release: one writer at a time, wherever the file system knows locks."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wellread.registry.transfer import progress

_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL)
"""What file systems without locks answer: NFS without its lock daemon, some in user space."""


@contextmanager
def locked(path: Path, waiting: str) -> Iterator[bool]:
    """Hold the lock at ``path``; False where there are no locks, and others may be writing too.

    Where another process holds it, ``waiting`` is said to whoever watches, and waited. Raises OSError where the lock's
    file cannot be made.
    """
    import filelock  # a warm load needs none

    path.parent.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(path, fallback_to_soft=False)  # a soft lock outlives a process that was killed
    try:
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            progress.say(waiting)
            lock.acquire()
    except (OSError, NotImplementedError) as error:
        if isinstance(error, OSError) and error.errno not in _NO_LOCKS:
            raise
        yield False
        return
    try:
        yield True
    finally:
        lock.release()
