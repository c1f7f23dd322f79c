"""The consumer's door and the places behind it: what is tried next, how often a hub is asked, what a lock holds to.

Of models that no runtime could open: what is brought is the point here.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

import pytest

import wellread
from tests.registry.listening import DAY, age, listening
from tests.registry.samples import FILES, TIME, flip, make_sample
from wellread.errors import BadInput, HubUnavailable, IntegrityError, NotFound, NotYet
from wellread.registry.hub.publish import publish
from wellread.registry.names import Lang, ModelName
from wellread.registry.records import HubInfo, encode
from wellread.registry.resolve import search as resolve
from wellread.registry.resolve.lockfile import Lock, add, lock_release, write_lock

PINNED = f"2.6.0_2.4_{TIME}"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("WELLREAD_HUB", "WELLREAD_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WELLREAD_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("wellread.loader._prove", lambda *_: None)
    monkeypatch.setattr("wellread.registry.retry._FIRST", 0.0)
    return tmp_path / "home"


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    """A hub with one release of ``tiny``."""
    return _publish(tmp_path, tmp_path / "hub")


def _publish(root: Path, hub: Path, files: dict[str, bytes] | None = None, **fields: Any) -> Path:
    sample = make_sample(root / f"{hub.name}-{fields.get('time', TIME)}", files, **fields)
    publish(sample.zip, sample.proof, hub)
    return hub


def test_what_one_hub_has_damaged_is_taken_from_the_next(hub: Path, tmp_path: Path) -> None:
    other = _publish(tmp_path, tmp_path / "other")
    (artifact,) = (hub / "public/models").glob("*.zip")
    flip(artifact, artifact.read_bytes().index(FILES["vocab.txt"]) + 3)
    both = f"{hub},{other}"
    with pytest.warns(UserWarning, match=rf"vocab\.txt(.|\n)*is taken from {other} instead"):
        path = wellread.fetch("tiny", hub=both)
    assert (path / "vocab.txt").read_bytes() == FILES["vocab.txt"]
    shutil.rmtree(path)
    artifact.unlink()
    with pytest.warns(UserWarning, match="is listed in the index but not there"):
        assert wellread.fetch("tiny", hub=both) == path
    shutil.rmtree(path)
    shutil.rmtree(other / "public")
    with pytest.warns(UserWarning, match="instead"), pytest.raises(IntegrityError) as caught:
        wellread.fetch("tiny", hub=both)
    assert len(str(caught.value).splitlines()) == 2


def test_a_hub_that_goes_away_is_replaced_by_its_mirror(hub: Path, tmp_path: Path) -> None:
    shutil.copytree(hub, tmp_path / "mirrored")
    with listening(tmp_path / "mirrored") as mirror:
        with listening(hub) as main:
            (hub / "hub.json").write_bytes(encode(HubInfo(name="hub", mirrors=(mirror.url,))))
            path = wellread.fetch("tiny", hub=main.url)
            assert "200 hub.json" in main.taken()
        assert mirror.asked == []
        assert wellread.fetch("tiny", hub=main.url) == path
        shutil.rmtree(path)
        with pytest.warns(UserWarning, match=f"is taken from {mirror.url} instead"):
            assert wellread.fetch("tiny", hub=main.url) == path
    shutil.rmtree(path)
    with pytest.warns(UserWarning, match="refused"), pytest.raises(HubUnavailable) as caught:
        wellread.fetch("tiny", hub=main.url)
    assert [place in str(caught.value) for place in (main.url, mirror.url)] == [True, True]


def test_a_warm_load_over_the_network_asks_nobody(hub: Path) -> None:
    with listening(hub) as server:
        path = wellread.fetch("tiny", hub=server.url)
        assert server.taken()
        for version, offline in ((None, False), (PINNED, False), (None, True)):
            assert wellread.fetch("tiny", hub=server.url, version=version, offline=offline) == path
        assert server.taken() == []
        age(DAY)
        assert wellread.fetch("tiny", hub=server.url) == path
        assert [one.split()[0] for one in server.taken()] == ["304"]
        age(DAY)
        assert wellread.fetch("tiny", hub=server.url, version=PINNED) == path
        assert server.taken() == []
        assert wellread.fetch("tiny", hub=server.url, refresh=True) == path
        assert [one.split()[0] for one in server.taken()] == ["304"]


def test_a_form_that_is_not_in_the_cache_is_said_to_be_missing_offline(hub: Path) -> None:
    with listening(hub) as server:
        wellread.fetch("tiny", hub=server.url)
        with pytest.raises(IntegrityError, match=r"form 'onnx-int8' is not whole in the cache, and offline"):
            wellread.pretrained("tiny", hub=server.url, form="onnx-int8", offline=True)


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A hub of Spark NLP, with a zip of ``tiny``."""
    folder = tmp_path / "foreign/public/models"
    folder.mkdir(parents=True)
    (folder / f"tiny_en_2.6.0_2.4_{TIME}.zip").write_bytes(b"a zip")
    row = (
        '{"name":"tiny","language":"en","libVersion":{"parts":[2,6,0]},"sparkVersion":{"parts":[2,4]},'
        '"readyToUse":true,"time":"2020-08-25T08:38:25.269Z","isZipped":true,"category":"ml",'
        f'"checksum":"{hashlib.md5(b"a zip").hexdigest().upper()}","annotator":"BertEmbeddings"}}\n'
    )
    (folder / "metadata.json").write_text(row)
    return tmp_path / "foreign"


def test_a_zip_of_spark_nlp_is_fetched_and_not_opened(foreign: Path) -> None:
    assert wellread.fetch("tiny", hub=foreign).read_bytes() == b"a zip"
    with pytest.raises(NotYet, match=r"in Spark NLP's format(.|\n)*'wellread fetch tiny' brings its zip"):
        wellread.pretrained("tiny", hub=foreign)


def test_a_zip_of_spark_nlp_is_found_again_offline(foreign: Path) -> None:
    with listening(foreign) as server:
        path = wellread.fetch("tiny", hub=server.url)
        listed = foreign / "public/models/metadata.json"
        listed.write_text(listed.read_text() + listed.read_text().replace("2020-08", "2021-08"))
        _, later = resolve.find(ModelName("tiny"), Lang("en"), hub=server.url, refresh=True)
        assert later.file != path.name
        server.taken()
        assert wellread.fetch("tiny", hub=server.url, offline=True) == path
        path.unlink()
        with pytest.raises(IntegrityError, match=r"tiny_en.*is not whole in the cache, and offline"):
            wellread.fetch("tiny", hub=server.url, offline=True)
        assert server.taken() == []


def test_a_hub_whose_zip_cannot_be_opened_lets_the_next_be_asked(
    foreign: Path, hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wellread.loader._model", lambda opened, *_: opened.folder)
    with pytest.warns(UserWarning, match=rf"in Spark NLP's format(.|\n)*is taken from {hub} instead"):
        opened: Any = wellread.pretrained("tiny", hub=f"{foreign},{hub}")
    assert opened == wellread.fetch("tiny", hub=hub)
    with pytest.raises(NotYet, match="in Spark NLP's format"):
        wellread.pretrained("tiny", hub=f"{foreign},{hub.parent / 'empty'}")


# ---------------------------------------------------------------- by a lock file


@pytest.fixture
def lock(hub: Path, tmp_path: Path) -> Path:
    """A lock of ``tiny``, which was asked for by an alias."""
    store, release = resolve.find(ModelName("tiny"), Lang("en"), hub=hub)
    assert store
    path = tmp_path / "wellread.lock"
    write_lock(path, add(Lock(), [lock_release(release, store.url, asked="en.embed.tiny")]))
    return path


def test_a_lock_gives_the_same_release_for_ever(hub: Path, lock: Path, tmp_path: Path) -> None:
    path = wellread.fetch("tiny", hub=hub)
    _publish(tmp_path, hub, time=TIME + 1)
    assert wellread.fetch("tiny", hub=hub) != path
    assert wellread.fetch("tiny", lock=lock) == wellread.fetch("en.embed.tiny", lock=str(lock)) == path
    assert wellread.fetch("tiny", lock=lock, version=PINNED, hub=hub) == path
    others: list[dict[str, Any]] = [{"version": "2.6.0"}, {"folder": "clinical/models"}]
    for asked in others:
        with pytest.raises(BadInput, match="leave version and folder out"):
            wellread.fetch("tiny", lock=lock, **asked)


def test_other_bytes_under_a_locked_version_are_refused(hub: Path, lock: Path, tmp_path: Path) -> None:
    other = _publish(tmp_path, tmp_path / "other", {"vocab.txt": b"[PAD]\n"})
    with pytest.raises(IntegrityError, match=r"is not the one that was locked \(manifest"):
        wellread.fetch("tiny", lock=lock, hub=other)
    with pytest.warns(UserWarning, match=r"is not the one that was locked(.|\n)*taken from"):
        path = wellread.fetch("tiny", lock=lock, hub=f"{other},{hub}")
    assert (path / "vocab.txt").read_bytes() == FILES["vocab.txt"]


def test_a_name_that_is_not_locked_says_how_to_lock_it(lock: Path) -> None:
    with pytest.raises(NotFound, match=r"tiny \(fr\) is not in .* To add it: wellread lock tiny --lang fr$"):
        wellread.fetch("tiny", "fr", lock=lock)
