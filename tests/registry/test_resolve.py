"""Choosing: the last compatible, ready release; and what is said when there is none."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.registry.samples import TIME, make_manifest, released
from wellread.errors import BadInput, NotFound, near_misses
from wellread.registry import cache, index, resolve
from wellread.registry.names import Lang, ModelName, ReleaseId, Version
from wellread.registry.records import Release
from wellread.registry.stores import open_store
from wellread.registry.views import update_views

TINY, EN = ModelName("tiny"), Lang("en")


def _version(library: str, spark: str = "2.4", time: int = TIME, **fields: Any) -> Release:
    return released(library_version=library, spark_version=spark, time=time, **fields)


RELEASES = [
    _version("2.6.0"),
    _version("2.10.0"),
    _version("2.9.0", time=TIME + 9),
    _version("1.0.0", spark="3.0", time=TIME - 5),
    _version("3.0.0", spark="3.0", language="fr"),
    _version("9.0.0", spark="3.4", folder="clinical/models"),
]


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [
        ({}, "1.0.0"),
        ({"spark": Version((2, 4))}, "2.10.0"),
        ({"library": Version((2, 9, 9)), "spark": Version((2, 4, 8))}, "2.9.0"),
        ({"library": Version((2, 6))}, None),
        ({"version": "2.9.0"}, "2.9.0"),
        ({"version": "2.9"}, "2.9.0"),
        ({"version": ">=2.6,<2.10"}, "2.9.0"),
        ({"version": "<2.7, >2"}, "2.6.0"),
        ({"version": f"2.6.0_2.4_{TIME}"}, "2.6.0"),
        ({"version": "2.6.0_2.4_1"}, None),
        ({"version": ">9"}, None),
        ({"lang": "fr"}, "3.0.0"),
        ({"folder": "clinical/models"}, "9.0.0"),
        ({"annotator": "BertSentenceEmbeddings"}, None),
    ],
)
def test_which_release_is_taken(asked: dict[str, Any], chosen: str | None) -> None:
    asked = {"lang": "en"} | asked
    if chosen is None:
        with pytest.raises(NotFound):
            resolve.choose(RELEASES, **asked)
    else:
        assert resolve.choose(RELEASES, **asked).library_version == chosen


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(0, 20)), min_size=1, unique=True))
def test_the_greatest_tuple_wins(versions: list[tuple[int, int, int]]) -> None:
    releases = [_version(f"2.{library}", spark=f"3.{spark}", time=time) for spark, library, time in versions]
    best = resolve.choose(releases, lang="en")
    spark, library, time = max(versions)
    assert best.id == f"2.{library}_3.{spark}_{time}"
    assert ReleaseId.parse(best.id).order == ((3, spark), (2, library), time)


def test_a_yanked_release_is_had_by_its_id_only_with_the_reason() -> None:
    yanked = _version("2.11.0", state="yanked", why="wrong vocabulary")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert resolve.choose([RELEASES[0], yanked], lang="en") == RELEASES[0]
        for version in (None, "2.11.0", ">2"):
            with pytest.raises(NotFound, match=r"2\.11\.0_2\.4_\d+ was yanked: wrong vocabulary. Give the id as"):
                resolve.choose([yanked], lang="en", version=version)
    with pytest.warns(UserWarning, match="was yanked: wrong vocabulary"):
        assert resolve.choose([yanked], lang="en", version=yanked.id) == yanked


def test_a_deprecated_release_warns() -> None:
    with pytest.warns(UserWarning, match="was deprecated: use tiny2"):
        resolve.choose([_version("2.6.0", state="deprecated", why="use tiny2")], lang="en")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"lang": "de"}, "not in language 'de'. Available: en, fr"),
        ({"lang": "en", "folder": "private"}, "not in folder 'private'. Available: clinical/models, public/models"),
        ({"lang": "en", "version": "2.7.0"}, f"no release '2.7.0'. Available: 2.6.0_2.4_{TIME}"),
    ],
)
def test_why_nothing_fits(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(NotFound) as caught:
        resolve.choose(RELEASES, **asked)
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize("asked", [{"version": "latest"}, {"version": ">=x"}, {"folder": "../x"}])
def test_what_cannot_be_meant(asked: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        resolve.choose(RELEASES, lang="en", **asked)


# ---------------------------------------------------------------- hubs


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WELLREAD_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("WELLREAD_HUB", raising=False)
    return tmp_path / "home"


def _hub(path: Path, *releases: Release) -> Path:
    store = open_store(path)
    for release in releases:
        index.add_release(store, release)
        update_views(store, make_manifest(name=release.name, language=release.language))
    return path


def test_hubs_are_those_given_else_those_set_else_ones_own(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert resolve.hubs() == (home / "hub",)
    monkeypatch.setenv("WELLREAD_HUB", "./a, own,https://example.org/hub")
    assert resolve.hubs() == ("./a", home / "hub", "https://example.org/hub")
    assert resolve.hubs("./b") == ("./b",)
    assert resolve.hubs(Path("a,b")) == (Path("a,b"),)


def test_the_first_hub_that_has_a_fitting_release_wins(tmp_path: Path) -> None:
    first = _hub(tmp_path / "first", _version("2.6.0"), _version("2.6.0", name=ModelName("other")))
    second = _hub(tmp_path / "second", _version("2.6.0"), _version("3.0.0"))
    both = f"{first},{second}"
    for version, hub in ((None, first), ("3.0.0", second)):
        store, release = resolve.find(TINY, EN, hub=both, version=version)
        assert store and store.url == str(hub)
        assert version in (None, release.library_version)


def test_all_hubs_that_have_only_other_releases_are_named(tmp_path: Path) -> None:
    both = f"{_hub(tmp_path / 'a', _version('2.6.0'))},{_hub(tmp_path / 'b', _version('2.7.0', language='fr'))}"
    with pytest.raises(NotFound) as caught:
        resolve.find(TINY, EN, hub=both, version="9")
    assert str(caught.value).splitlines() == [
        f"tiny (en) in {tmp_path / 'a'}: no release '9'. Available: 2.6.0_2.4_{TIME}",
        f"tiny (en) in {tmp_path / 'b'}: not in language 'en'. Available: fr",
    ]


def test_a_name_that_is_nowhere_is_told_near_misses(tmp_path: Path) -> None:
    hub = _hub(tmp_path / "a", _version("2.6.0"), _version("2.6.0", name=ModelName("small")))
    with pytest.raises(NotFound) as caught:
        resolve.find(ModelName("tinny"), EN, hub=hub)
    assert str(caught.value) == f"tinny (en): not in {hub} (2 releases). Did you mean 'tiny'?"


def test_offline_hubs_behind_a_network_are_passed_over(tmp_path: Path) -> None:
    hub = _hub(tmp_path / "a", _version("2.6.0"))
    store, _ = resolve.find(TINY, EN, hub=f"https://example.org/hub,{hub}", offline=True)
    assert store and store.url == str(hub)
    with pytest.raises(NotFound, match=r"not in any hub: all need a network, nor in the cache"):
        resolve.find(TINY, EN, hub="https://example.org/hub", offline=True)


def test_a_release_that_is_had_by_its_id_is_not_asked_for_again(tmp_path: Path) -> None:
    line = _version("2.6.0")
    hub, other = _hub(tmp_path / "a", line), _hub(tmp_path / "b", _version("2.6.0", sha256="1" * 64))
    known = index.read_releases(open_store(hub), TINY)[0]
    cache.Entry(line.file.removesuffix(".zip"), line.manifest).remember(str(hub), known)
    (hub / index.index_key(TINY)).unlink()
    store, release = resolve.find(TINY, EN, hub=hub, version=line.id)
    assert store and (store.url, release) == (str(hub), known)
    assert resolve.find(TINY, EN, hub=other, version=line.id)[1].sha256 == "1" * 64
    pinned: dict[str, Any] = {"hub": hub, "version": line.id}
    for asked in ({"refresh": True}, {"version": "2.6.0"}, {"folder": "x"}):
        with pytest.raises(NotFound):
            resolve.find(TINY, EN, **(pinned | asked))


def test_a_hub_that_is_no_folder_is_said_unless_it_is_ones_own(tmp_path: Path, home: Path) -> None:
    with pytest.raises(NotFound, match=r"typo \(no such folder\)\.$"):
        resolve.find(TINY, EN, hub=tmp_path / "typo")
    with pytest.raises(NotFound, match=r"hub \(0 releases\)\.$"):
        resolve.find(TINY, EN)
    for hub in (",", " , "):
        with pytest.raises(BadInput, match="names no hub"):
            resolve.find(TINY, EN, hub=hub)


def test_near_misses_are_left_out_where_the_caller_knows_better(tmp_path: Path) -> None:
    hub = _hub(tmp_path / "a", _version("2.6.0"))
    with pytest.raises(NotFound) as caught:
        resolve.find(ModelName("tinny"), EN, hub=hub, suggest=False)
    assert str(caught.value) == f"tinny (en): not in {hub} (1 release)."


def test_a_catalogue_that_cannot_be_read_is_a_warning_where_a_name_is_not_found(tmp_path: Path) -> None:
    hub = _hub(tmp_path / "a", _version("2.6.0"))
    (hub / index.CATALOG).write_bytes(b"{")
    with pytest.warns(UserWarning, match="mends it"), pytest.raises(NotFound, match="not in"):
        resolve.find(ModelName("tinny"), EN, hub=hub)


def test_a_near_miss_is_found_among_many_names_without_comparing_all(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {f"small_bert_L{layers}_{hidden}" for layers in range(100) for hidden in range(100)}
    compared: list[str] = []

    def near(word: str, known: list[str]) -> str:
        compared.extend(known)
        return near_misses(word, known)

    assert "'small_bert_L8_51'" in near("small_bret_L8_51", resolve._alike("small_bret_L8_51", names))
    assert len(compared) <= 100
