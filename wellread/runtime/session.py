"""An ONNX file being run by onnxruntime.

The file is opened by ``open`` or when it is first run, once a process, and once more for much work (``alone``): a
``Session`` costs nothing until then, any number of threads may share it, and after a fork the child opens the file
anew, because the threads of onnxruntime stay with the parent. A file that is not the one that was opened first is
refused: nobody checked it.

onnxruntime keeps a database under the user's cache folder and posts usage data from a thread of its own, unless
``ORT_DISABLE_TELEMETRY`` is set before it is imported; that thread also makes a forked child hang at exit (1.31.1).
So whoever wants it gets it from ``onnxruntime()`` here, which turns that off where the user has not said otherwise.
"""

from __future__ import annotations

import ctypes
import os
import threading
import weakref
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellread.errors import BadInput, IntegrityError, WellreadError
from wellread.runtime.device import Device, batch_positions, check_used, parse_device, providers
from wellread.runtime.mapped import graph_of

Stamp = tuple[int, int, int]
"""(size in bytes, mtime in ns, inode) of a file: what shows that it has changed without reading it."""
FATAL = 4
"""onnxruntime's severity above which it may write to stderr; what it has to say comes as an exception too."""
SETTINGS = {"session.intra_op.spin_duration_us": "100"}
"""By default a thread that waits for work burns its core for tens of milliseconds. A tenth of one bridges the gap
between two operators and takes little from whoever else wants the core. An older onnxruntime passes over the key."""

WEIGHTS = "session.model_external_initializers_file_folder_path"
"""onnxruntime's setting for the folder of a graph's weights, where the graph comes without a path. Here it is the root:
an onnxruntime that passes over the key, as 1.20 does, looks in the working folder and takes what it finds there."""


class Session:
    """``onnx`` on ``threads`` cores: by default ``OMP_NUM_THREADS``, else every core that this process may use.

    ``device`` is "cpu", "cuda" or "cuda:1"; whether it can be had shows when the file is opened. Raises BadInput.
    """

    def __init__(self, onnx: Path, threads: int | None = None, device: str = "cpu") -> None:
        if threads is not None and (isinstance(threads, bool) or not isinstance(threads, int) or threads < 1):
            raise BadInput(f"threads={threads!r}: a whole number of at least 1 is expected, or None for all cores")
        self.onnx = onnx
        self.device = parse_device(device)
        self._asked = threads
        self._lock = threading.Lock()
        self._inference: Any = None
        self._stamp: Stamp | None = None
        self._alone: Session | None = None
        _sessions.add(self)

    @property
    def threads(self) -> int:
        """How many threads compute one batch."""
        return self._asked or _environment_threads() or _cores()

    @property
    def positions(self) -> int:
        """How many positions to give it at once, where there are as many."""
        return batch_positions(self.device, self.threads)

    def run(
        self,
        ids: NDArray[np.int64],
        mask: NDArray[np.int64],
        types: NDArray[np.int64],
        outputs: Sequence[str],
    ) -> list[NDArray[np.float32]]:
        """The named outputs for one batch, and no work for any other.

        ``ids``, ``mask`` and ``types`` are (batch, tokens) int64. Raises as ``open``, and WellreadError if onnxruntime
        fails on the batch.
        """
        inference = self._opened()
        self._check_mapped()
        feeds = {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}
        try:
            found: list[NDArray[np.float32]] = inference.run(list(outputs), feeds)
        except Exception as error:  # onnxruntime's errors share no other base
            texts, tokens = ids.shape
            raise WellreadError(
                f"{self.onnx} failed on {texts} texts of {tokens} pieces: {error}\n"
                "If memory ran out, pass a smaller batch_size or shorter texts"
            ) from error
        return found

    def open(self) -> None:
        """Open the file now, if it is not.

        Raises IntegrityError if it is missing, damaged or has changed, MissingExtra if the device cannot be had.
        """
        self._opened()

    def alone(self) -> Session:
        """The same file, open once more, for batches that have a core each: as many threads may run it at once.

        Itself, if it has one core, and where the file that it opened is gone. It costs the memory of the products'
        weights again, which onnxruntime lays out anew for itself. Raises as ``open``.
        """
        self._opened()
        with self._lock:
            self._alone = self._alone or self._opened_alone()
            return self._alone or self

    def _opened_alone(self) -> Session | None:
        if self.threads == 1 or self.device.kind != "cpu":
            return None
        found = Session(self.onnx, 1, str(self.device))
        found._stamp = self._stamp
        try:
            found.open()
        except IntegrityError:  # removed or replaced since: what is open serves on
            return None
        return found

    def close(self) -> None:
        """Give the memory back; the next run opens the file again."""
        with self._lock:
            self._inference = self._alone = None

    def _opened(self) -> Any:
        with self._lock:
            if self._inference is None:
                first = self._stamp or _stamp(self.onnx)
                _check_unchanged(self.onnx, first)
                inference = _open(self.onnx, self.threads, self.device)
                _check_unchanged(self.onnx, first)
                self._inference, self._stamp = inference, first
            return self._inference

    def _check_mapped(self) -> None:
        """Raises IntegrityError where somebody wrote into the file: the model has it mapped, and not a copy."""
        now = _stamp(self.onnx)
        if now and self._stamp and now != self._stamp and now[2] == self._stamp[2]:
            _check_unchanged(self.onnx, self._stamp)

    def _after_fork(self) -> None:
        if self._inference is not None:
            # Never destroyed, at exit neither: its destructor waits for threads that live in the parent only, for
            # ever if those were asleep. The pages are shared with the parent, so keeping it costs nothing.
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._inference))
            self._inference = None
        self._lock = threading.Lock()


_sessions: weakref.WeakSet[Session] = weakref.WeakSet()


def _after_fork() -> None:
    for session in list(_sessions):
        session._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def onnxruntime() -> Any:
    """The onnxruntime module, without its telemetry unless ``ORT_DISABLE_TELEMETRY`` is set to something else."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime as module

    return module


def require(device: Device) -> None:
    """Raises MissingExtra if the onnxruntime installed here has nothing for a device; what it has may still fail."""
    providers(onnxruntime(), device)


def _stamp(path: Path) -> Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ino


def _check_unchanged(path: Path, first: Stamp | None) -> None:
    if _stamp(path) != first:
        raise IntegrityError(f"{path} has changed since it was checked: load the model again")


def _open(onnx: Path, threads: int, device: Device) -> Any:
    advice = "the model's folder is not whole. Delete it and load the model again"
    if not onnx.is_file():
        raise IntegrityError(f"{onnx} is missing: {advice}")
    ort = onnxruntime()
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = FATAL
    for setting, value in SETTINGS.items():
        options.add_session_config_entry(setting, value)
    wanted = providers(ort, device)
    try:
        session = _mapped(ort, onnx, options, wanted)
    except Exception as error:  # onnxruntime's errors share no other base
        raise _unopened(onnx, device, advice, error) from error
    check_used(session, device)
    return session


def _mapped(ort: Any, onnx: Path, options: Any, wanted: Sequence[Any]) -> Any:
    """The file with its weights mapped; copied, where the onnxruntime installed here cannot do that."""
    # Without enable_fallback=False, a provider that fails is replaced by another, and a line is printed.
    opened = partial(ort.InferenceSession, providers=wanted, enable_fallback=False)
    path = onnx.absolute()
    try:
        graph = graph_of(path, path.relative_to(path.anchor).as_posix())
        options.add_session_config_entry(WEIGHTS, path.anchor)
        return opened(graph, options)
    except MemoryError:
        raise
    except Exception:  # a damaged file too: what is wrong with it is better told of the file itself
        return opened(str(onnx), options)


def _unopened(onnx: Path, device: Device, advice: str, error: Exception) -> WellreadError:
    if device.kind == "cpu":
        return IntegrityError(f"{onnx} cannot be opened: {advice}\n{error}")
    return WellreadError(f"{onnx} cannot be opened on {device}: {error}\nLeave device out, for the processor")


def _environment_threads() -> int | None:
    """The first number of ``OMP_NUM_THREADS``, which Spark and joblib set in their workers; None if it has none."""
    first = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return int(first) if first.isdecimal() and int(first) else None


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
