"""Views say what the index says, and are never a reason to fail."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fixtures.web_server import serving
from tests.registry.hub.memory import Memory
from tests.registry.hub.test_index import Beaten
from tests.registry.samples import TIME, make_manifest, make_sample, released
from tests.registry.watched import list_in
from wellread.errors import HubUnavailable, NotFound, PublishError, WellreadError
from wellread.registry.hub import index, states
from wellread.registry.hub.info import describe_hub
from wellread.registry.names import Lang, ModelName
from wellread.registry.records import Alias, CatalogEntry, HubInfo, Manifest, Release, decode
from wellread.registry.retry import open_hub
from wellread.registry.stores import Store, open_store, read
from wellread.registry.views import rebuild, spark_nlp
from wellread.registry.views import update as views
from wellread.registry.views.catalog import read_catalog

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
    manifest = _listed(store, **fields)
    views.update_views(store, [manifest.name], manifest)


def _entries(store: Store) -> list[tuple[str, ...]]:
    return [(e.name, e.language, e.folder, e.title, e.latest.rpartition("_")[2]) for e in read_catalog(store)]


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
    (entry,) = read_catalog(store)
    assert (entry.annotator, entry.releases) == ("BertSentenceEmbeddings", 2)


def test_of_two_publishers_the_later_swap_sees_both_lines(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    newer: list[Manifest] = []

    def overtaken(*arguments: Any) -> Any:
        entries = list(real(*arguments))
        if not newer:
            newer.append(_listed(store, time=TIME + 1, title="New"))
            views.update_views(store, [TINY], newer[0])
        return iter(entries)

    real = rebuild.entries
    monkeypatch.setattr(rebuild, "entries", overtaken)
    _publish(store, title="Old")
    assert _entries(store) == [("tiny", "en", "public/models", "New", str(TIME + 1))]


@pytest.mark.parametrize("broken", [b"{", b"\xff\n", b'{"name": "tiny"}\n', b'{"format": 0}\n'])
def test_a_catalogue_that_cannot_be_read_is_rebuilt_from_the_index(store: Store, broken: bytes) -> None:
    _publish(store, name="other", title="Other")
    (Path(store.url) / index.CATALOG).write_bytes(broken)
    with pytest.warns(UserWarning, match="it is rebuilt from the index"):
        _publish(store, title="Tiny")
    assert _entries(store) == [
        ("other", "en", "public/models", "other", str(TIME)),
        ("tiny", "en", "public/models", "Tiny", str(TIME)),
    ]


def test_the_entries_of_others_are_not_decoded(store: Store) -> None:
    _publish(store, name="a")
    place = Path(store.url, index.CATALOG)
    strange = place.read_bytes().replace(b'"title":"Tiny"', b'"title":7').strip()
    place.write_bytes(strange)
    _publish(store)
    assert strange in place.read_bytes().splitlines()


def test_a_name_of_whose_index_nothing_can_be_read_keeps_its_entry(store: Store) -> None:
    _publish(store)
    before = read(store, index.CATALOG)
    Path(store.url, index.index_key(TINY)).write_bytes(b"{")
    with pytest.warns(UserWarning, match="what is said of tiny is out of date"):
        views.update_views(store, [TINY])
    assert read(store, index.CATALOG) == before


def test_an_entry_goes_with_the_last_release(store: Store) -> None:
    _publish(store)
    Path(store.url, index.index_key(TINY)).unlink()
    views.update_views(store, [TINY])
    assert _entries(store) == []


def test_lines_for_a_later_wellread_are_kept(store: Store) -> None:
    line = b'{"format": 2, "is": "later"}'
    store.put_new(index.CATALOG, line)
    _publish(store)
    assert [entry.name for entry in read_catalog(store)] == ["tiny"]
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
    describe_hub(store)
    manifest = _listed(store)
    with pytest.warns(UserWarning) as warned:
        views.update_views(Beaten(store), [TINY], manifest)
    mend = f"other writers were faster. Mend it with: wellread hub refresh --hub {store.url}"
    assert [str(each.message) for each in warned] == [
        f"{store.url}/{key} is out of date: {mend}" for key in ("catalog.jsonl", "public/models/metadata.json")
    ]


def test_a_folder_in_the_place_of_a_view_is_a_warning(store: Store) -> None:
    (Path(store.url) / index.CATALOG).mkdir(parents=True)
    with pytest.warns(UserWarning, match=r"catalog\.jsonl is out of date"):
        _publish(store)


# ---------------------------------------------------------------- Spark NLP's list

THEIRS = b'{"readyToUse" : true,  "name":"theirs", "time":"2020-08-25T08:36:31.466Z"}\r'
ODD = b'{"name":"tiny", "nothing": "else"}'


def _rows(store: Store, folder: str = "public/models") -> list[bytes]:
    found = read(store, f"{folder}/metadata.json")
    assert found
    return found[0].split(b"\n")[:-1]


def _change(store: Store, **fields: Any) -> None:
    """The line of ``tiny`` as it would be after a yank."""
    place = Path(store.url, index.index_key(TINY))
    place.write_bytes(index.encode_line(released(**fields)) + b"\n")


def test_each_release_has_a_row_in_the_list_of_its_folder(store: Store) -> None:
    _publish(store)
    _publish(store, time=TIME + 1)
    _publish(store, folder="clinical/models")
    assert _rows(store) == [spark_nlp.row(released()), spark_nlp.row(released(time=TIME + 1))]
    assert _rows(store, "clinical/models") == [spark_nlp.row(released(folder="clinical/models"))]


def test_rows_of_others_stay_byte_for_byte_and_ours_where_they_are(store: Store) -> None:
    old = spark_nlp.row(released(md5="F" * 32))
    store.put_new("public/models/metadata.json", b"\n\n" + THEIRS + b"\n" + old + b"\n" + ODD)
    _publish(store)
    assert _rows(store) == [THEIRS, spark_nlp.row(released()), ODD]
    views.refresh(store)
    assert _rows(store) == [THEIRS, spark_nlp.row(released()), ODD]


def test_a_row_that_stands_twice_is_left_once(store: Store) -> None:
    _publish(store)
    place = Path(store.url, "public/models/metadata.json")
    place.write_bytes(place.read_bytes() * 2)
    views.update_views(store, [TINY])
    assert len(_rows(store)) == 1


@pytest.mark.parametrize("again", [lambda store: views.update_views(store, [TINY]), views.refresh])
def test_what_was_yanked_is_no_longer_listed_for_spark_nlp(store: Store, again: Any) -> None:
    store.put_new("public/models/metadata.json", THEIRS)
    _publish(store)
    _change(store, state="yanked", why="wrong")
    again(store)
    assert _rows(store) == [THEIRS]
    _change(store, state="deprecated", why="old")
    again(store)
    assert _rows(store) == [THEIRS, spark_nlp.row(released())]


# ---------------------------------------------------------------- whatever was done to the index

_SOME = st.sampled_from(
    [
        released(name=name, language=language, folder=folder, time=time)
        for name, language, folder, time in (
            ("a", "en", "x", TIME), ("a", "en", "x", TIME + 1), ("a", "de", "y", TIME), ("ab", "en", "x", TIME),
        )
    ]
)  # fmt: skip
_ACTS = st.sampled_from(["list", "yanked", "deprecated", "ready", "alias", "refresh"])


def _act(store: Store, act: str, release: Release) -> None:
    """Do something to the index, as a command does, and bring the views up to date."""
    if act == "refresh":
        views.refresh(store)
        return
    with suppress(NotFound):
        if act == "list":
            index.add_release(store, release)
        elif act == "alias":
            states.set_alias(store, "stands.for", release.name, release.language)
        else:
            why = "" if act == "ready" else "why"
            states.set_state(store, release.name, release.language, release.id, release.folder, act, why)  # type: ignore[arg-type]
    views.update_views(store, [release.name])


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(_ACTS, _SOME), max_size=20))
def test_views_agree_with_the_index_whatever_was_done_to_it(acts: list[tuple[str, Release]]) -> None:
    store = Memory()
    for folder in "xy":
        store.put_new(f"{folder}/metadata.json", THEIRS + b"\n")
    for act, about in acts:
        _act(store, act, about)
        listed = [release for name in ("a", "ab") for release in index.read_releases(store, ModelName(name))]
        groups = {(r.name, r.language, r.folder): [o for o in listed if _key(o) == _key(r)] for r in listed}
        last = {key: max(group, key=lambda r: (r.state != "yanked", r.time)) for key, group in groups.items()}
        assert [(_key(entry), entry.latest, entry.state, entry.releases) for entry in read_catalog(store)] == [
            (key, last[key].id, last[key].state, len(group)) for key, group in sorted(groups.items())
        ]
        for folder in "xy":
            found = read(store, f"{folder}/metadata.json")
            ours = [spark_nlp.row(r) for r in listed if r.folder == folder and r.state != "yanked"]
            assert found and sorted(found[0].split(b"\n")) == sorted([b"", THEIRS, *ours])


def _key(about: Release | CatalogEntry) -> tuple[str, str, str]:
    return about.name, about.language, about.folder


# ---------------------------------------------------------------- refresh


def _views(store: Store) -> dict[str, bytes]:
    keys = [index.CATALOG, *(key for key in store.list("") if key.endswith("metadata.json"))]
    return {key: Path(store.url, key).read_bytes() for key in keys}


def test_refresh_gives_what_publishing_one_by_one_gave(store: Store) -> None:
    for name, folder in (("b", "x"), ("a", "y"), ("c", "x"), ("B", "x")):
        _publish(store, name=name, folder=folder, title=f"Title of {name}")
    before = _views(store)
    assert views.refresh(store) == 4
    assert {key: sorted(data.split(b"\n")) for key, data in _views(store).items()} == {
        key: sorted(data.split(b"\n")) for key, data in before.items()
    }
    assert _views(store)[index.CATALOG] == before[index.CATALOG]
    again = _views(store)
    Path(store.url, "x/metadata.json").unlink()
    Path(store.url, index.CATALOG).unlink()
    views.refresh(store)
    assert _views(store)["y/metadata.json"] == again["y/metadata.json"]
    assert [entry[:3] for entry in _entries(store)] == [
        ("B", "en", "x"),
        ("a", "en", "y"),
        ("b", "en", "x"),
        ("c", "en", "x"),
    ]


def test_refresh_reads_titles_from_the_artifacts_where_the_catalogue_has_none(store: Store, tmp_path: Path) -> None:
    sample = make_sample(tmp_path / "made", title="Out of the artifact")
    list_in(sample, Path(store.url))
    assert views.refresh(store) == 1
    assert _entries(store)[0][3] == "Out of the artifact"


def test_refresh_leaves_a_damaged_name_out_and_says_so(store: Store) -> None:
    _publish(store)
    _publish(store, name="other")
    Path(store.url, index.index_key(TINY)).write_bytes(b"{")
    Path(store.url, "index/stray").write_bytes(b"{")
    Path(store.url, "index/other.jsonl").write_bytes(b"{")
    with pytest.warns(UserWarning, match=r"index/.*/tiny\.jsonl .*tiny is left out of the views") as warned:
        views.refresh(store)
    assert len(warned) == 1
    assert [entry[0] for entry in _entries(store)] == ["other"]


def test_refresh_keeps_lines_for_a_later_wellread(store: Store) -> None:
    _publish(store)
    line = b'{"format":2,"is":"later"}'
    place = Path(store.url, index.CATALOG)
    place.write_bytes(place.read_bytes() + line)
    views.refresh(store)
    assert place.read_bytes().splitlines()[-1] == line


def test_refresh_mends_a_catalogue_that_is_one_line_without_end(store: Store) -> None:
    _publish(store)
    Path(store.url, index.CATALOG).write_bytes(b"x" * 3_000_000)
    with pytest.warns(UserWarning, match="it is rebuilt from the index"):
        views.update_views(store, [TINY])
    assert [entry[0] for entry in _entries(store)] == ["tiny"]


def test_refresh_sees_what_is_published_while_it_runs(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    _publish(store, name="a")
    real, late = index.read_releases, iter([True])

    def overtaken(*arguments: Any) -> Any:
        found = real(*arguments)
        if next(late, False):
            _publish(store, name="late", time=TIME + 1)
        return found

    monkeypatch.setattr(rebuild, "read_releases", overtaken)
    views.refresh(store)
    assert [entry[0] for entry in _entries(store)] == ["a", "late"]
    assert len(_rows(store)) == 2


def test_refresh_of_a_place_without_an_index_writes_nothing_there(store: Store) -> None:
    assert views.refresh(store) == 0
    assert not Path(store.url).exists()
    ready = spark_nlp.row(released()).replace(b'"readyToUse":false', b'"readyToUse":true')
    store.put_new("public/models/metadata.json", ready)
    views.refresh(store)
    assert (list(store.list()), _entries(store)[0][0]) == (["public/models/metadata.json"], "tiny")


def test_refresh_of_a_hub_that_never_rests(store: Store) -> None:
    _publish(store)
    with pytest.raises(PublishError, match="changed 5 times"):
        views.refresh(Beaten(store))


def test_refresh_of_a_web_server_says_why_it_cannot() -> None:
    with serving({}) as server, pytest.raises(HubUnavailable, match="lists nothing"):
        views.refresh(open_hub(server.url))


def test_a_bucket_has_its_views_too_and_they_are_rebuilt(bucket: str) -> None:
    store = open_hub(bucket)
    for name in ("b", "a"):
        _publish(store, name=name, title=name.upper())
    before = {key: read(store, key) for key in (index.CATALOG, "public/models/metadata.json")}
    store.put_new("other/metadata.json", THEIRS)
    assert views.refresh(store) == 2
    for key, found in before.items():
        now = read(store, key)
        assert now and found and sorted(now[0]) == sorted(found[0]), key
    assert [entry[3] for entry in _entries(store)] == ["A", "B"]


def test_views_are_never_a_reason_to_fail_not_even_for_want_of_room(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> Any:
        raise WellreadError("cannot sort in a temporary file")

    _publish(store)
    Path(store.url, index.CATALOG).write_bytes(b"{")
    monkeypatch.setattr("wellread.registry.views.sorting.scratch", full)
    with pytest.warns(UserWarning) as warned:
        views.update_views(store, [TINY])
    assert "cannot sort in a temporary file. Mend it with: wellread hub refresh" in str(warned[-1].message)
