"""One ONNX file: opened late, shared by threads, opened anew after a fork, and silent throughout."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wellread.errors import BadInput, IntegrityError, WellreadError
from wellread.runtime import session as sessions
from wellread.runtime.session import Session, onnxruntime

pytestmark = pytest.mark.press

IDS = np.array([[4, 9, 8, 5], [4, 7, 5, 0]], np.int64)
MASK = np.array([[1, 1, 1, 1], [1, 1, 1, 0]], np.int64)
TYPES = np.zeros_like(IDS)
OUTPUTS = ("last_hidden_state", "pooler_output", "pooler_linear")

ROOT = Path(__file__).parents[2]


@pytest.fixture
def onnx(folder: Path) -> Path:
    return folder / "onnx/model.onnx"


def run_script(script: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``script`` in a process of its own; it must end well within a minute."""
    inherited = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(script), *map(str, arguments)],
        cwd=ROOT,
        env=inherited | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_outputs_come_in_the_order_asked(onnx: Path) -> None:
    session = Session(onnx)
    states, pooled, linear = session.run(IDS, MASK, TYPES, OUTPUTS)
    assert states.shape == (2, 4, 32)
    np.testing.assert_allclose(pooled, np.tanh(linear), atol=1e-6)
    (alone,) = session.run(IDS, MASK, TYPES, ["pooler_output"])
    np.testing.assert_array_equal(alone, pooled)


def test_nothing_is_opened_before_the_first_run(tmp_path: Path, onnx: Path) -> None:
    path = tmp_path / "model.onnx"
    session = Session(path)
    path.write_bytes(onnx.read_bytes())
    assert session.run(IDS, MASK, TYPES, OUTPUTS)[0].shape == (2, 4, 32)


def test_a_closed_session_opens_again(onnx: Path) -> None:
    session = Session(onnx)
    before = session.run(IDS, MASK, TYPES, OUTPUTS)[0]
    session.close()
    np.testing.assert_array_equal(session.run(IDS, MASK, TYPES, OUTPUTS)[0], before)


@pytest.mark.parametrize("change", ["replaced", "removed"])
def test_a_file_that_changed_is_not_opened_again(tmp_path: Path, onnx: Path, change: str) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(onnx.read_bytes())
    session = Session(path)
    session.open()
    if change == "replaced":
        (tmp_path / "other.onnx").write_bytes(onnx.read_bytes())
        (tmp_path / "other.onnx").replace(path)
    else:
        path.unlink()
    assert session.run(IDS, MASK, TYPES, OUTPUTS)[0].shape == (2, 4, 32)
    session.close()
    for _ in range(2):
        with pytest.raises(IntegrityError, match=r"model\.onnx (has changed|is missing).*load the model again"):
            session.run(IDS, MASK, TYPES, OUTPUTS)


def test_a_file_that_changes_while_it_is_opened_is_refused(
    tmp_path: Path, onnx: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, other = tmp_path / "model.onnx", tmp_path / "other.onnx"
    path.write_bytes(onnx.read_bytes())
    opened = sessions._open

    def meanwhile(*how: Any) -> Any:
        found = opened(*how)
        other.write_bytes(onnx.read_bytes())
        other.replace(path)
        return found

    monkeypatch.setattr(sessions, "_open", meanwhile)
    with pytest.raises(IntegrityError, match=r"model\.onnx has changed since it was checked"):
        Session(path).open()


@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "garbage", "folder"])
def test_a_damaged_file_is_named_and_nothing_is_printed(
    tmp_path: Path, onnx: Path, damage: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path, whole = tmp_path / "model.onnx", onnx.read_bytes()
    if damage == "folder":
        path.mkdir()
    elif damage != "missing":
        path.write_bytes({"empty": b"", "cut": whole[: len(whole) // 2], "garbage": b"\x00\xff" * 500}[damage])
    with pytest.raises(IntegrityError, match=r"model\.onnx (is missing|cannot be opened): .* load the model again"):
        Session(path).run(IDS, MASK, TYPES, OUTPUTS)
    assert capfd.readouterr() == ("", "")


def test_a_batch_that_fails_is_described(onnx: Path, capfd: pytest.CaptureFixture[str]) -> None:
    long = np.zeros((3, 65), np.int64)
    with pytest.raises(WellreadError, match=r"model\.onnx failed on 3 texts of 65 pieces"):
        Session(onnx).run(long, long + 1, long, OUTPUTS)
    assert capfd.readouterr() == ("", "")


def test_a_thread_that_waits_for_work_soon_lets_its_core_go(onnx: Path) -> None:
    options = Session(onnx, 3)._opened().get_session_options()
    assert options.intra_op_num_threads == 3
    assert options.get_session_config_entry("session.intra_op.spin_duration_us") == "100"


def test_threads_share_a_session(onnx: Path) -> None:
    session = Session(onnx)

    def run(_: int) -> bytes:
        return session.run(IDS, MASK, TYPES, OUTPUTS)[0].tobytes()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(run, range(64)))) == 1


def test_threads_that_come_at_once_open_the_file_once(onnx: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Counted(onnxruntime().InferenceSession):  # type: ignore[misc]
        def __init__(self, *arguments: Any, **options: Any) -> None:
            opened.append(self)
            time.sleep(0.05)  # so that the others arrive meanwhile
            super().__init__(*arguments, **options)

    opened: list[Counted] = []
    monkeypatch.setattr(onnxruntime(), "InferenceSession", Counted)
    session, start = Session(onnx), threading.Barrier(8)

    def run(_: int) -> tuple[int, ...]:
        start.wait()
        return session.run(IDS, MASK, TYPES, OUTPUTS)[0].shape

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(run, range(8))) == {(2, 4, 32)}
    assert len(opened) == 1


@pytest.mark.parametrize("threads", [0, -1, 1.5, "2", True])
def test_a_number_of_threads_that_is_none_is_refused(onnx: Path, threads: int) -> None:
    with pytest.raises(BadInput, match="threads="):
        Session(onnx, threads)


@pytest.mark.parametrize(
    ("argument", "environment", "expected"),
    [
        (3, "5", 3),
        (None, "5", 5),
        (None, " 2,4", 2),
        (None, "0", len(os.sched_getaffinity(0))),
        (None, "many", len(os.sched_getaffinity(0))),
        (None, None, len(os.sched_getaffinity(0))),
    ],
)
def test_threads_by_argument_then_environment_then_cores(
    onnx: Path, monkeypatch: pytest.MonkeyPatch, argument: int | None, environment: str | None, expected: int
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if environment is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", environment)
    assert Session(onnx, argument).threads == expected


STARTED = """
    import os, sys
    from pathlib import Path
    from wellread.runtime.session import Session, onnxruntime
    import numpy as np

    def tasks():
        return len(os.listdir("/proc/self/task"))

    ids = np.ones((2, 4), np.int64)
    onnxruntime()
    before = tasks()
    session = Session(Path(sys.argv[1]), int(sys.argv[2]))
    session.run(ids, ids, ids * 0, ["pooler_output"])
    print(tasks() - before)
"""


@pytest.mark.parametrize("threads", [1, 3])
def test_as_many_threads_compute_as_were_asked_for(onnx: Path, threads: int) -> None:
    done = run_script(STARTED, onnx, threads)
    assert (done.stdout, done.stderr) == (f"{threads - 1}\n", "")  # the thread that calls is one of them


def test_onnxruntime_keeps_and_sends_nothing_about_the_user(onnx: Path, tmp_path: Path) -> None:
    done = run_script(STARTED, onnx, 1, HOME=str(tmp_path), XDG_CACHE_HOME=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert list(tmp_path.iterdir()) == []


FORKED = """
    import os, sys, threading, time
    from pathlib import Path
    import numpy as np
    from wellread.errors import IntegrityError
    from wellread.runtime.session import Session

    ids = np.ones((8, 40), np.int64)
    session = Session(Path(sys.argv[1]), 2)

    def run():
        return session.run(ids, ids, ids * 0, ["last_hidden_state"])[0]

    before = run()
    time.sleep(1)  # the workers fall asleep; whoever destroys a pool whose workers sleep in the parent waits for ever
    if sys.argv[2] == "changed":
        Path(sys.argv[1] + ".new").write_bytes(Path(sys.argv[1]).read_bytes())
        os.replace(sys.argv[1] + ".new", sys.argv[1])
    if sys.argv[2] == "locked":
        session._lock.acquire()
    child = os.fork()
    if not child:
        if sys.argv[2] == "idle":  # a child that only starts threads of its own
            wait = threading.Event()
            threading.Thread(target=wait.wait, daemon=True).start()
            del session
            sys.exit(0)
        try:
            same = np.array_equal(run(), before)
        except IntegrityError:
            sys.exit(5)
        sys.exit(0 if same else 3)
    _, status = os.waitpid(child, 0)
    if sys.argv[2] == "locked":
        session._lock.release()
    sys.exit(os.waitstatus_to_exitcode(status) if np.array_equal(run(), before) else 4)
"""


@pytest.mark.parametrize("case", ["running", "idle", "locked"])
def test_a_forked_child_runs_and_ends_and_so_does_its_parent(onnx: Path, case: str) -> None:
    done = run_script(FORKED, onnx, case)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_forked_child_opens_no_file_that_changed_since(tmp_path: Path, onnx: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(onnx.read_bytes())
    done = run_script(FORKED, path, "changed")
    assert (done.returncode, done.stdout, done.stderr) == (5, "", "")
