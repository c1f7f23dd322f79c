"""What runs when the main thread has ended, and in an atexit hook, gets its vectors: there no thread can be started."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from tests.runtime.test_session import run_script
from wellread.registry.records import Manifest
from wellread.runtime.model import Model

pytestmark = pytest.mark.press

_LATE = """
    import atexit, pickle, sys, threading
    from pathlib import Path

    model = pickle.loads(Path(sys.argv[1]).read_bytes())

    def work():
        if sys.argv[2] == "thread":
            threading.main_thread().join()
        print(model.encode(["the fox jumps over it"] * 3000).shape)

    atexit.register(work) if sys.argv[2] == "exit" else threading.Thread(target=work).start()
"""


@pytest.mark.parametrize("when", ["thread", "exit"])
def test_what_outlives_the_main_thread_still_gets_its_vectors(
    folder: Path, manifest: Manifest, tmp_path: Path, when: str
) -> None:
    path = tmp_path / "model.pickle"
    path.write_bytes(pickle.dumps(Model(folder, manifest, "onnx", threads=2)))
    done = run_script(_LATE, path, when)
    assert (done.returncode, done.stdout, done.stderr) == (0, "(3000, 32)\n", "")
