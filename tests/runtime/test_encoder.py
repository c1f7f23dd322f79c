"""Texts in chunks, chunks in batches, batches side by side: whatever runs with what, a text has its own vectors."""

from __future__ import annotations

import pickle
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.runtime.test_lanes import MANY
from tests.runtime.test_model import ALONE_OR_TOGETHER, LONG, TEXTS
from tests.runtime.test_session import run_script
from wellread.registry.records import Manifest
from wellread.runtime.model import Model
from wellread.runtime.session import Session

pytestmark = pytest.mark.press

Run = Callable[..., Any]


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[int], object]], None]:
    """``watch(seen)``: ``seen`` is told how many texts are in a batch before it runs, in the thread where it does."""

    def watch(seen: Callable[[int], object]) -> None:
        run = Session.run

        def watched(self: Session, ids: Any, *how: Any) -> Any:
            seen(len(ids))
            return run(self, ids, *how)

        monkeypatch.setattr(Session, "run", watched)

    return watch


def lanes() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("wellread")]


@given(
    texts=st.lists(st.text("abc the fox,é中", max_size=40), max_size=12),
    batch_size=st.none() | st.integers(1, 5),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_order_and_company_do_not_matter(model: Model, texts: list[str], batch_size: int | None) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        together = model.encode(texts, batch_size=batch_size)
        words = model.encode(texts, batch_size=batch_size, output_level="token")
        for text, vector, found in zip(texts, together, words, strict=True):
            np.testing.assert_allclose(vector, model.encode(text), atol=ALONE_OR_TOGETHER)
            alone = model.encode(text, output_level="token")
            assert found.words == alone.words
            np.testing.assert_allclose(found.vectors, alone.vectors, atol=ALONE_OR_TOGETHER)


def test_chunks_of_texts_are_put_together_again(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [*TEXTS, LONG] * 3
    whole = model.encode(texts, long="window"), model.encode(texts, long="window", output_level="token")
    monkeypatch.setattr("wellread.runtime.encoder.TEXTS", 4)
    monkeypatch.setattr("wellread.runtime.encoder.CHARACTERS", 60)
    np.testing.assert_allclose(model.encode(texts, long="window"), whole[0], atol=ALONE_OR_TOGETHER)
    for found, expected in zip(model.encode(texts, long="window", output_level="token"), whole[1], strict=True):
        assert found.words == expected.words
        np.testing.assert_allclose(found.vectors, expected.vectors, atol=ALONE_OR_TOGETHER)


def test_a_batch_has_as_many_texts_as_were_allowed(model: Model, watch: Run) -> None:
    sizes: list[int] = []
    watch(sizes.append)
    model.encode(["fox"] * 7, batch_size=3)
    assert sorted(sizes) == [1, 3, 3]
    sizes.clear()
    model.encode(["fox"] * 7)
    assert sizes == [7]


def test_of_texts_in_many_chunks_the_one_that_is_too_long_is_named_by_its_own_number(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wellread.runtime.encoder.TEXTS", 2)
    with pytest.warns(UserWarning, match="1 text is longer .* the first is text 3 with"):
        model.encode(["a", "b", "c", LONG])


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_what_goes_wrong_in_a_batch_ends_the_call_and_the_next_one_is_as_ever(
    folder: Path, manifest: Manifest, watch: Run, error: type[BaseException]
) -> None:
    model, begun = Model(folder, manifest, "onnx", threads=2), list[int]()
    expected = model.encode(TEXTS)

    def fails(size: int) -> None:
        begun.append(size)
        if len(begun) == 3:
            raise error

    watch(fails)
    with pytest.raises(error):
        model.encode(MANY, batch_size=1)
    assert len(begun) <= 3 + 2 + 1 and not lanes()
    np.testing.assert_array_equal(model.encode(TEXTS), expected)


def test_states_that_are_taken_no_longer_are_computed_no_longer(folder: Path, manifest: Manifest, watch: Run) -> None:
    model, begun = Model(folder, manifest, "onnx", threads=2), list[int]()
    watch(begun.append)
    states: Any = model.states([np.array([4, 9, 8, 5])] * len(MANY), batch_size=1)
    assert not begun and not lanes()
    next(states)
    states.close()
    assert len(begun) <= 1 + 2 + 1 and not lanes()


_FORKED = """
    import os, pickle, sys, threading
    from pathlib import Path
    import numpy as np

    model = pickle.loads(Path(sys.argv[1]).read_bytes())
    texts = ["I love NLP", "", "the quick brown fox"] * 300
    before = model.encode(texts)
    begun, enough = threading.Event(), threading.Event()

    def encode():
        while not enough.is_set():
            begun.set()
            model.encode(texts)

    thread = threading.Thread(target=encode)
    thread.start()
    begun.wait()
    children = []
    for _ in range(4):
        if not (child := os.fork()):
            sys.exit(0 if np.array_equal(model.encode(texts), before) else 3)
        children.append(child)
    enough.set()
    thread.join()
    sys.exit(max(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))
"""


def test_a_process_forked_while_batches_run_side_by_side_gives_the_same(
    folder: Path, manifest: Manifest, tmp_path: Path
) -> None:
    path = tmp_path / "model.pickle"
    path.write_bytes(pickle.dumps(Model(folder, manifest, "onnx", threads=3)))
    done = run_script(_FORKED, path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
