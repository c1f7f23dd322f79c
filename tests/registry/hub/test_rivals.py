"""Publishers that die and publishers that race: whatever happens, one release, whole, and never replaced."""

from __future__ import annotations

import hashlib
import multiprocessing
import signal
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.registry.hub.memory import Memory
from tests.registry.processes import start
from tests.registry.samples import Sample, make_sample, noise
from wellread.errors import PublishError, VersionConflict
from wellread.registry.artifact.package import verify
from wellread.registry.artifact.proof import parse_proof
from wellread.registry.hub import index
from wellread.registry.hub import publish as publishing
from wellread.registry.hub.publish import publish
from wellread.registry.names import ModelName
from wellread.registry.records import Release
from wellread.registry.retry import open_hub
from wellread.registry.stores import Body, Stat, Store, open_store, read

pytestmark = pytest.mark.press  # a licence is checked by license-expression
TINY = ModelName("tiny")
T = TypeVar("T")


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    return tmp_path / "hub"


def _check_whole(store: Store) -> Release:
    """The one release of the hub, every byte of it and its proof as its line says."""
    (release,) = index.read_releases(store, TINY)
    found, proof = read(store, release.path), read(store, release.path.replace(".zip", ".proof.json"))
    assert found and hashlib.sha256(found[0]).hexdigest() == release.sha256
    assert proof and parse_proof(proof[0], "the proof").sha256 == release.sha256
    return release


# ---------------------------------------------------------------- those that die


class Dead(Exception):
    """The publisher was killed here."""


class Mortal:
    """A store whose user dies at the nth operation, before it or just after it was done."""

    def __init__(self, store: Store, left: int, after: bool) -> None:
        self.store, self.left, self.after = store, left, after
        self.url = store.url

    def _living(self, operation: Callable[[], T]) -> T:
        self.left -= 1
        if self.left < 0 and not self.after:
            raise Dead
        done = operation()
        if self.left < 0:
            raise Dead
        return done

    def head(self, key: str) -> Stat | None:
        return self._living(lambda: self.store.head(key))

    def get_range(
        self, key: str, start: int = 0, length: int | None = None, *, unless: str | None = None
    ) -> Body | None:
        return self._living(lambda: self.store.get_range(key, start, length, unless=unless))

    def put_new(self, key: str, source: Path | bytes) -> bool:
        return self._living(lambda: self.store.put_new(key, source))

    def put_if(self, key: str, source: Path | bytes, etag: str | None) -> bool:
        return self._living(lambda: self.store.put_if(key, source, etag))

    def list(self, prefix: str = "") -> Iterator[str]:
        return self._living(lambda: self.store.list(prefix))


def _die_everywhere(
    sample: Sample, orphan: Sample, new_hub: Callable[[], str], monkeypatch: pytest.MonkeyPatch, stride: int = 1
) -> int:
    """Publish over an orphan's leavings, dying at each operation in turn, then once more; how many steps there are."""
    for step in range(0, 200, stride):
        url = new_hub()
        store = open_hub(url)
        store.put_new(f"public/models/{orphan.zip.name}", orphan.zip)
        store.put_new(f"public/models/{orphan.proof.name}", orphan.proof)
        mortal = Mortal(store, step // 2, after=bool(step % 2))
        with monkeypatch.context() as patch:
            patch.setattr(publishing, "open_hub", lambda _, mortal=mortal: mortal)
            try:
                publish(sample.zip, sample.proof, url)
                return step
            except Dead:
                if index.read_releases(store, TINY):
                    _check_whole(store)
        publish(sample.zip, sample.proof, url)
        assert _check_whole(store).sha256 == sample.packed.sha256
        assert publish(sample.zip, sample.proof, url).already_there
        alias = index.read_alias(store, "en.embed.tiny")
        assert alias and alias.name == TINY
        assert {"hub.json", "catalog.jsonl", "public/models/metadata.json"} < set(store.list())
    raise AssertionError("it never got through")


def _pair(tmp_path: Path) -> tuple[Sample, Sample]:
    orphan = make_sample(tmp_path / "orphan", {"vocab.txt": b"old"})
    return make_sample(tmp_path / "ours", aliases=("en.embed.tiny",)), orphan


def test_who_dies_at_any_step_is_finished_by_the_next_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hubs = (str(tmp_path / f"hub{number}") for number in range(200))
    assert _die_everywhere(*_pair(tmp_path), lambda: next(hubs), monkeypatch) > 20


def test_who_dies_at_any_step_is_finished_by_the_next_run_on_s3(
    tmp_path: Path, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _die_everywhere(*_pair(tmp_path), s3.bucket, monkeypatch, stride=7) > 20


_KILLED = """
import os, sys
from pathlib import Path
from wellread.registry.hub.publish import publish
from wellread.registry.stores.folder import FolderStore
artifact, proof, hub, left = sys.argv[1:]
left = int(left)
def counted(operation):
    def run(self, *arguments):
        global left
        if left == 0:
            os.kill(os.getpid(), 9)
        left -= 1
        return operation(self, *arguments)
    return run
FolderStore._write = counted(FolderStore._write)
publish(Path(artifact), Path(proof), hub)
"""


@pytest.mark.parametrize("writes", [0, 1, 2, 3])
def test_killed_while_it_holds_the_lock_a_publisher_stops_nobody(tmp_path: Path, hub: Path, writes: int) -> None:
    sample = make_sample(tmp_path)
    with start(_KILLED, sample.zip, sample.proof, hub, str(writes)) as child:
        output = child.communicate()[0]
    assert child.returncode == -signal.SIGKILL, output
    assert len(index.read_releases(open_store(hub), TINY)) == (writes > 2)
    publish(sample.zip, sample.proof, hub)
    assert _check_whole(open_store(hub)).sha256 == sample.packed.sha256


# ---------------------------------------------------------------- those that race


class Turns:
    """Who may do the next operation: the order that was given, passing over those that have finished."""

    def __init__(self, order: list[int]) -> None:
        self.order, self.finished = order, set[int]()
        self.changed = threading.Condition()

    def take(self, who: int, operation: Callable[[], T]) -> T:
        with self.changed:
            self.changed.wait_for(lambda: self._next() in (who, None), timeout=60)
            if self.order:
                self.order.pop(0)
            done = operation()
            self.changed.notify_all()
            return done

    def finish(self, who: int) -> None:
        with self.changed:
            self.finished.add(who)
            self.changed.notify_all()

    def _next(self) -> int | None:
        while self.order and self.order[0] in self.finished:
            self.order.pop(0)
        return self.order[0] if self.order else None


class Paced:
    """A store used by one of several, each operation when it is its turn."""

    def __init__(self, store: Store, turns: Turns, who: int) -> None:
        self.store, self.turns, self.who = store, turns, who
        self.url = store.url
        self.done = 0

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self.store, name)

        def run(*arguments: Any, **named: Any) -> Any:
            self.done += 1
            return self.turns.take(self.who, lambda: operation(*arguments, **named))

        return run


def _race(
    samples: list[Sample], store: Store, order: list[int], monkeypatch: pytest.MonkeyPatch
) -> tuple[list[str], int]:
    """Publish all at once, their operations in that order; what became of each, and how many operations they took."""
    turns = Turns(order)
    stores = {str(who): Paced(store, turns, who) for who in range(len(samples))}
    monkeypatch.setattr(publishing, "open_hub", stores.__getitem__)
    results = [""] * len(samples)

    def run(who: int) -> None:
        try:
            publish(samples[who].zip, samples[who].proof, str(who), views=False)
            results[who] = "published"
        except PublishError as error:
            results[who] = type(error).__name__
        finally:
            turns.finish(who)

    threads = [threading.Thread(target=run, args=(who,)) for who in range(len(samples))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results, max(store.done for store in stores.values())


def _rivals(tmp_path: Path) -> list[Sample]:
    return [make_sample(tmp_path / seed, {"vocab.txt": noise(50, seed)}) for seed in ("a", "b")]


@pytest.mark.parametrize("left", ["nothing", "the artifact of the first", "both files of the second", "another's"])
def test_of_two_publishers_of_one_version_one_wins_wherever_they_stall(
    tmp_path: Path, left: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rivals, other = _rivals(tmp_path), make_sample(tmp_path / "c", {"vocab.txt": b"c"})
    leavings: dict[str, tuple[Path, ...]] = {
        "nothing": (),
        "the artifact of the first": (rivals[0].zip,),
        "both files of the second": (rivals[1].zip, rivals[1].proof),
        "another's": (other.zip, other.proof),
    }
    longest, first = 1, 0
    while first <= longest:
        for second in range(longest + 1):
            store = Memory()
            for path in leavings[left]:
                store.put_new(f"public/models/{path.name}", path)
            order = [0] * first + [1] * second + [0] * 100 + [1] * 100
            results, took = _race(rivals, store, order, monkeypatch)
            longest = max(longest, min(took, 16))
            assert sorted(results) == ["VersionConflict", "published"], (first, second)
            winner = rivals[results.index("published")]
            assert _check_whole(store).sha256 == winner.packed.sha256, (first, second)
        first += 1
    assert longest >= 6


def test_bytes_that_were_barred_are_never_published_as_that_version(
    tmp_path: Path, hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    orphan, sample = _rivals(tmp_path)
    store = open_store(hub)
    store.put_new(f"public/models/{orphan.zip.name}", orphan.zip)

    def dying(*_: Any, **__: Any) -> bool:
        raise Dead

    with monkeypatch.context() as patch:
        patch.setattr("wellread.registry.stores.folder.FolderStore.put_if", dying)
        patch.setattr("wellread.registry.hub.index.swap", _swap_by_create)
        with pytest.raises(Dead):
            publish(sample.zip, sample.proof, hub)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert index.read_releases(store, TINY) == ()
    with pytest.raises(VersionConflict, match=r"another publisher took this version over.*--time"):
        publish(orphan.zip, orphan.proof, hub)
    release = publish(sample.zip, sample.proof, hub).release
    assert release.serial > 1
    assert verify(hub / release.path).manifest == sample.manifest
    with pytest.raises(VersionConflict, match=r"They differ in vocab\.txt$"):
        publish(orphan.zip, orphan.proof, hub)


def _swap_by_create(store: Store, key: str, change: Callable[[bytes], bytes], tries: int) -> bool:
    return store.put_new(key, change(b""))


# ---------------------------------------------------------------- the same in processes


def _publish(artifact: Path, proof: Path, hub: Path, barrier: Any, results: Any) -> None:
    barrier.wait()
    try:
        results.put(f"already there: {publish(artifact, proof, hub).already_there}")
    except VersionConflict:
        results.put("conflict")


def test_processes_that_publish_one_version_with_other_bytes_do_not_both_win(tmp_path: Path, hub: Path) -> None:
    samples = _rivals(tmp_path)
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(len(samples)), context.Queue()
    rivals = [context.Process(target=_publish, args=(s.zip, s.proof, hub, barrier, results)) for s in samples]
    for rival in rivals:
        rival.start()
    assert sorted(results.get(timeout=120) for _ in rivals) == ["already there: False", "conflict"]
    for rival in rivals:
        rival.join()
    assert _check_whole(open_store(hub)).sha256 in {sample.packed.sha256 for sample in samples}
