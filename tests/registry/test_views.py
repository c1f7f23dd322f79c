"""Views say what the index says, and are never a reason to fail."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.registry.samples import TIME, make_manifest, released
from tests.registry.test_index import Beaten
from wellread.registry import index, views
from wellread.registry.names import Lang, ModelName
from wellread.registry.records import Alias, HubInfo, Manifest, decode
from wellread.registry.stores import Store, open_store, read

TINY = ModelName("tiny")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "hub")


def _listed(store: Store, *, folder: str = "public/models", **fields: Any) -> Manifest:
    """A release that the index lists, without an artifact, and its manifest; the views as they were."""
    shared = {name: fields[name] for name in ("name", "language", "time", "annotator") if name in fields}
    index.add_release(store, released(folder=folder, **shared))
    return make_manifest(**fields)


def _publish(store: Store, **fields: Any) -> None:
    views.update_views(store, _listed(store, **fields))


def _entries(store: Store) -> list[tuple[str, ...]]:
    return [(e.name, e.language, e.folder, e.title, e.latest.rpartition("_")[2]) for e in index.read_catalog(store)]


def test_the_catalogue_has_an_entry_for_each_name_language_and_folder(store: Store) -> None:
    for name, language, folder in (("b", "en", "x/y"), ("a", "fr", "x/y"), ("a", "en", "x/y"), ("a", "en", "clinical")):
        _publish(store, name=name, language=language, folder=folder, title=f"T {folder}")
    assert _entries(store) == [
        ("a", "en", "clinical", "T clinical", str(TIME)),
        ("a", "en", "x/y", "T x/y", str(TIME)),
        ("a", "fr", "x/y", "T x/y", str(TIME)),
        ("b", "en", "x/y", "T x/y", str(TIME)),
    ]
    found = read(store, index.HUB)
    assert found and decode(found[0], HubInfo, "hub.json") == HubInfo(name="hub")


def test_title_and_annotator_are_those_of_the_latest_release(store: Store) -> None:
    _publish(store, time=TIME + 5, title="New", annotator="BertSentenceEmbeddings")
    _publish(store, time=TIME, title="Old")
    assert _entries(store) == [("tiny", "en", "public/models", "New", str(TIME + 5))]
    entry = index.read_catalog(store)[0]
    assert (entry.annotator, entry.releases) == ("BertSentenceEmbeddings", 2)


def test_of_two_publishers_the_later_swap_sees_both_lines(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    newer: list[Manifest] = []

    def overtaken(*arguments: Any) -> Any:
        entries = list(real(*arguments))
        if not newer:
            newer.append(_listed(store, time=TIME + 1, title="New"))
            views.update_views(store, newer[0])
        return iter(entries)

    real = views._entries
    monkeypatch.setattr(views, "_entries", overtaken)
    _publish(store, title="Old")
    assert _entries(store) == [("tiny", "en", "public/models", "New", str(TIME + 1))]


@pytest.mark.parametrize("broken", [b"{", b"\xff\n", b'{"name": "tiny"}\n', b'{"format": 0}\n'])
def test_a_catalogue_that_cannot_be_read_is_rebuilt_from_the_index(store: Store, broken: bytes) -> None:
    _publish(store, name="other", title="Other")
    (Path(store.url) / index.CATALOG).write_bytes(broken)
    (Path(store.url) / "index" / "stray file").write_bytes(b"")
    with pytest.warns(UserWarning, match="it is rebuilt from the index"):
        _publish(store, title="Tiny")
    assert _entries(store) == [
        ("other", "en", "public/models", "other", str(TIME)),
        ("tiny", "en", "public/models", "Tiny", str(TIME)),
    ]


def test_lines_for_a_later_wellread_are_kept(store: Store) -> None:
    line = b'{"format": 2, "is": "later"}'
    store.put_new(index.CATALOG, line)
    _publish(store)
    assert [entry.name for entry in index.read_catalog(store)] == ["tiny"]
    assert line in (Path(store.url) / index.CATALOG).read_bytes().splitlines()


def test_an_alias_leads_to_its_model_and_the_first_keeps_it(store: Store) -> None:
    reference = "en.embed.bert.tiny"
    _publish(store, aliases=(reference,))
    _publish(store, aliases=(reference,), time=TIME + 1)
    with pytest.warns(UserWarning, match=r"stands for tiny \(en\).*left as it is"):
        _publish(store, name="other", aliases=(reference,))
    assert index.read_alias(store, reference) == Alias(reference=reference, name=TINY, language=Lang("en"))


def test_an_alias_that_cannot_be_read_is_written_anew(store: Store) -> None:
    store.put_new(index.alias_key("en.tiny"), b"{")
    with pytest.warns(UserWarning, match="it is written anew"):
        _publish(store, aliases=("en.tiny",))
    assert index.read_alias(store, "en.tiny") == Alias(reference="en.tiny", name=TINY, language=Lang("en"))


def test_views_give_up_with_a_warning(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    manifest = _listed(store)
    with pytest.warns(UserWarning, match=r"catalog\.jsonl is out of date.*[Pp]ublish the release again"):
        views.update_views(Beaten(store), manifest)


def test_a_folder_in_the_place_of_a_view_is_a_warning(store: Store) -> None:
    (Path(store.url) / index.CATALOG).mkdir(parents=True)
    with pytest.warns(UserWarning, match=r"catalog\.jsonl is out of date"):
        _publish(store)
