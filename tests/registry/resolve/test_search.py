"""From a name to a release: which hub, how often it is asked, what is done when it fails, and what is said then."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.registry.listening import DAY, Listening, age, kept, listening
from tests.registry.samples import TIME, make_manifest, released
from wellread.errors import BadInput, HubUnavailable, IntegrityError, NotFound, TrustError
from wellread.registry.cache.entry import Entry
from wellread.registry.hub import index
from wellread.registry.names import Lang, ModelName
from wellread.registry.records import Alias, HubInfo, Release, encode
from wellread.registry.resolve import search as resolve
from wellread.registry.resolve.places import Place
from wellread.registry.retry import open_hub
from wellread.registry.stores import open_store
from wellread.registry.trust import keys, policy
from wellread.registry.views.update import update_views

TINY, EN = ModelName("tiny"), Lang("en")


def _version(library: str, spark: str = "2.4", time: int = TIME, **fields: Any) -> Release:
    return released(library_version=library, spark_version=spark, time=time, **fields)


def _hub(path: Path, *releases: Release) -> Path:
    store = open_store(path)
    for release in releases:
        index.add_release(store, release)
        update_views(store, [release.name], make_manifest(name=release.name, language=release.language))
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
    resolve.find(TINY, EN, hub=hub)
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
    with pytest.warns(UserWarning, match="hub refresh"), pytest.raises(NotFound, match="not in"):
        resolve.find(ModelName("tinny"), EN, hub=hub)


# ---------------------------------------------------------------- behind a network


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wellread.registry.retry._FIRST", 0.0)


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[Listening]:
    """A hub with one release of ``tiny`` that has an alias, behind a web server."""
    folder = _hub(tmp_path / "remote", _version("2.6.0"))
    _alias(folder, "en.embed.tiny")
    with listening(folder) as hub:
        yield hub


def _alias(folder: Path, reference: str, name: ModelName = TINY, lang: Lang = EN) -> None:
    path = folder / index.alias_key(reference)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode(Alias(reference=reference, name=name, language=lang)))


def _tell(folder: Path, **fields: Any) -> None:
    folder.mkdir(exist_ok=True)
    (folder / index.HUB).write_bytes(encode(HubInfo(name="hub", **fields)))


def _library(hub: Listening | str, name: str = "tiny", **asked: Any) -> str:
    url = hub.url if isinstance(hub, Listening) else hub
    return resolve.find(ModelName(name), EN, hub=url, **asked)[1].library_version


INDEX = index.index_key(TINY)


def test_a_name_costs_one_small_request_and_within_the_ttl_none(remote: Listening) -> None:
    assert [_library(remote), _library(remote)] == ["2.6.0"] * 2
    assert remote.taken() == [f"200 {INDEX}"]
    age(DAY)
    assert [_library(remote), _library(remote)] == ["2.6.0"] * 2
    assert remote.taken() == [f"304 {INDEX}"]


def test_an_alias_costs_a_read_more_and_within_the_ttl_none(remote: Listening) -> None:
    assert [_library(remote, "en.embed.tiny") for _ in range(2)] == ["2.6.0"] * 2
    alias = index.alias_key("en.embed.tiny")
    assert remote.taken() == [f"404 {index.index_key(ModelName('en.embed.tiny'))}", f"200 {alias}", f"200 {INDEX}"]


def test_a_hub_that_wants_a_password_is_given_it_for_near_misses_too(remote: Listening) -> None:
    remote.private.set()
    with pytest.raises(NotFound, match=r"\(1 release\)\. Did you mean 'tiny'\?$"):
        _library(remote.url.replace("//", "//anna:secret@"), "tinny")


def test_a_hub_that_is_away_is_waited_for_once_though_an_alias_is_asked_for(remote: Listening) -> None:
    _library(remote, "en.embed.tiny")
    remote.taken()
    age(DAY)
    remote.silent.set()
    with pytest.MonkeyPatch.context() as patch, pytest.warns(UserWarning, match="did not answer"):
        patch.setattr("wellread.registry.cache.copies.WAIT", 0.2)
        assert _library(remote, "en.embed.tiny") == "2.6.0"
    assert len(remote.taken()) == 1


def test_a_hub_says_how_long_it_is_believed_once_something_was_fetched(remote: Listening) -> None:
    _tell(remote.folder, ttl=600)
    search = resolve.Search(TINY, EN, hub=remote.url)
    hit = next(search.hits())
    resolve.acquaint(hit)
    resolve.acquaint(hit)
    assert remote.taken() == [f"200 {INDEX}", f"200 {index.HUB}"]
    age(500)
    _library(remote)
    assert remote.taken() == []
    age(100)
    _library(remote)
    assert remote.taken() == [f"304 {INDEX}"]
    Entry(hit.release.file.removesuffix(".zip"), hit.release.manifest).path.mkdir(parents=True)
    resolve.acquaint(hit)
    assert remote.taken() == []


def test_a_pinned_release_that_a_copy_lists_asks_nobody_however_old_it_is(remote: Listening, tmp_path: Path) -> None:
    _library(remote)
    remote.taken()
    age(1000 * DAY)
    with listening(_hub(tmp_path / "first")) as first:
        assert _library(f"{first.url},{remote.url}", version=f"2.6.0_2.4_{TIME}") == "2.6.0"
        assert first.taken() == remote.taken() == []
    _library(remote, version=f"2.6.0_2.4_{TIME}", refresh=True)
    assert remote.taken() == [f"304 {INDEX}"]


def test_a_miss_is_never_reported_from_memory(remote: Listening) -> None:
    keys = [index.index_key(ModelName("other")), index.alias_key("other"), index.HUB]
    for _ in range(2):
        with pytest.raises(NotFound, match="not in http"):
            _library(remote, "other")
        assert [one.split()[1] for one in remote.taken() if index.CATALOG not in one] == keys
    _hub(remote.folder, _version("1.0.0", name=ModelName("other")))
    assert _library(remote, "other") == "1.0.0"
    assert _library(remote) == "2.6.0"
    with pytest.raises(NotFound, match="no release '3'"):
        _library(remote, version="3")
    _hub(remote.folder, _version("3"))
    assert _library(remote) == "2.6.0"
    assert _library(remote, version="3") == "3"


def test_a_remembered_miss_lets_the_next_hub_be_asked_at_once(remote: Listening, tmp_path: Path) -> None:
    with listening(_hub(tmp_path / "first")) as first:
        for _ in range(2):
            assert _library(f"{first.url},{remote.url}") == "2.6.0"
        asked = [INDEX, index.alias_key("tiny"), index.HUB, "public/models/metadata.json"]
        assert first.taken() == [f"404 {key}" for key in asked]
        assert remote.taken() == [f"200 {INDEX}"]


def test_offline_a_name_is_found_in_what_was_said_without_a_socket(
    remote: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    _library(remote, "en.embed.tiny")
    age(1000 * DAY)
    monkeypatch.setattr(socket, "socket", lambda *_, **__: pytest.fail("a socket was opened"))
    line = _version("2.6.0")
    for name in ("tiny", "en.embed.tiny"):
        store, release = resolve.find(ModelName(name), EN, hub=remote.url, offline=True)
        assert (store, release.library_version) == (None, "2.6.0")
        with pytest.raises(NotFound, match="The cache holds: nothing"):
            resolve.find(ModelName(name), EN, hub="https://example.org/hub", offline=True)
    Entry(line.file.removesuffix(".zip"), line.manifest).path.mkdir(parents=True)
    for name in ("tiny", "en.embed.tiny"):
        hit = next(resolve.Search(ModelName(name), EN, hub="https://example.org/hub", offline=True).hits())
        assert (hit.store, hit.release.library_version, hit.hub) == (None, "2.6.0", remote.url)
    with pytest.raises(NotFound, match=r"no release '7'"):
        _library(remote, version="7", offline=True)


def test_offline_the_release_is_taken_that_is_in_the_cache(remote: Listening) -> None:
    _hub(remote.folder, _version("3.0.0", manifest="3" * 64))
    assert _library(remote) == "3.0.0"
    old = _version("2.6.0")
    assert _library(remote, offline=True) == "3.0.0"
    Entry(old.file.removesuffix(".zip"), old.manifest).path.mkdir(parents=True)
    assert _library(remote, offline=True) == "2.6.0"
    with pytest.raises(NotFound, match=r"The cache holds: tiny \(en\)\."):
        _library(remote, "other", offline=True)


def test_offline_what_the_site_has_counts_as_being_in_the_cache(
    remote: Listening, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _hub(remote.folder, _version("3.0.0", manifest="3" * 64))
    _library(remote)
    old = _version("2.6.0")
    monkeypatch.setenv("WELLREAD_SITE_CACHE", str(tmp_path / "site"))
    Entry(old.file.removesuffix(".zip"), old.manifest, tmp_path / "site").path.mkdir(parents=True)
    assert _library(remote, offline=True) == "2.6.0"


# ---------------------------------------------------------------- when a place fails


def test_mirrors_are_asked_when_their_hub_is_away(remote: Listening, tmp_path: Path) -> None:
    with listening(_hub(tmp_path / "hub", _version("2.6.0"), _version("1.0.0", name=ModelName("other")))) as hub:
        _tell(hub.folder, mirrors=("not a url", str(tmp_path / "remote"), remote.url))
        resolve.acquaint(next(resolve.Search(TINY, EN, hub=hub.url).hits()))
    _hub(remote.folder, _version("4.0.0", name=ModelName("new")))
    with pytest.warns(UserWarning, match=rf"refused(.|\n)*is taken from {remote.url} instead"):
        store, release = resolve.find(ModelName("new"), EN, hub=hub.url)
    assert store and (store.url, release.library_version) == (remote.url, "4.0.0")


def test_a_mirror_is_judged_as_its_hub_is(remote: Listening, tmp_path: Path) -> None:
    with listening(_hub(tmp_path / "hub")) as hub:
        _tell(hub.folder, mirrors=(remote.url,))
        policy.set_policy(hub.url, "enforce")
        search = resolve.Search(TINY, EN, hub=hub.url)
        Place(open_hub(hub.url), hub.url).acquaint()
        assert list(search.hits()) == []
        assert isinstance(search.error(), TrustError)
        assert _library(remote) == "2.6.0"
        assert next(resolve.Search(TINY, EN, hub=hub.url, trust="off").hits()).hub == hub.url


def test_the_next_hub_is_taken_when_one_fails_with_a_warning(remote: Listening, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    (broken / INDEX).parent.mkdir(parents=True)
    (broken / INDEX).write_bytes(b"<html>")
    with pytest.warns(UserWarning) as caught:
        assert _library(f"http://127.0.0.1:9/x,{broken},{remote.url}") == "2.6.0"
    told = [str(one.message) for one in caught]
    assert [message.rpartition(" is taken from ")[2] for message in told] == [f"{remote.url} instead"] * 2
    assert [place in message for place, message in zip(("127.0.0.1:9", str(broken)), told, strict=True)] == [True] * 2


def test_what_cannot_be_brought_is_tried_once_and_said(remote: Listening) -> None:
    _library(remote)
    search = resolve.Search(TINY, EN, hub=remote.url, version=f"2.6.0_2.4_{TIME}")
    hits, error = search.hits(), IntegrityError("a piece differs")
    search.failed(next(hits), error)
    assert next(hits, None) is None
    assert search.error() is error


def test_all_failures_are_reported_together_a_line_for_each_place(remote: Listening, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    (broken / INDEX).parent.mkdir(parents=True)
    (broken / INDEX).write_bytes(b"<html>")
    empty = _hub(tmp_path / "empty")
    for hubs, kind in (
        (f"{empty},http://127.0.0.1:9/x", HubUnavailable),
        (f"http://127.0.0.1:9/x,{broken}", IntegrityError),
    ):
        with pytest.raises(kind) as caught:
            _library(hubs)
        lines = str(caught.value).splitlines()
        assert len(lines) == 2
        assert all(place in line for place, line in zip(hubs.split(","), lines, strict=True))
    with pytest.raises(HubUnavailable, match=r"is that its port\?$") as one:
        _library("http://127.0.0.1:9/x")
    assert len(str(one.value).splitlines()) == 1


# ---------------------------------------------------------------- who says so


def _signed(folder: Path, key: keys.Key, *releases: Release) -> Path:
    for release in releases:
        index.add_release(open_store(folder), release, [key])
    return folder


def test_an_older_index_is_noticed(remote: Listening) -> None:
    before = (remote.folder / INDEX).read_bytes()
    _hub(remote.folder, _version("3.0.0"), _version("3.1.0"))
    _library(remote)
    (remote.folder / INDEX).write_bytes(before)
    age(DAY)
    with pytest.raises(TrustError, match=r"3\.0\.0.*was listed, and is not \(and 1 more\)\."):
        _library(remote, trust="enforce")
    assert "3.1.0" in kept(remote.url, INDEX).raw.decode()
    for _ in range(2):
        with pytest.warns(UserWarning, match=r"3\.0\.0.*was listed, and is not") as told:
            assert _library(remote) == "2.6.0"
        assert len(told) == 1
    assert _library(remote, trust="off") == "2.6.0"


def test_a_line_with_a_lower_serial_is_noticed(remote: Listening) -> None:
    before = (remote.folder / INDEX).read_bytes()
    (remote.folder / INDEX).write_bytes(before.replace(b'"serial":1', b'"serial":5'))
    _library(remote)
    (remote.folder / INDEX).write_bytes(before)
    with pytest.warns(UserWarning, match="has serial 1, and had 5"):
        _library(remote, refresh=True)
    (remote.folder / INDEX).unlink()
    age(DAY)
    with pytest.warns(UserWarning, match="was listed, and is not"), pytest.raises(NotFound):
        _library(remote)


def test_signers_are_found_out_once_and_judged_every_time(remote: Listening, tmp_path: Path) -> None:
    key, _ = keys.new_key("one")
    other, _ = keys.new_key("other")
    with listening(_signed(tmp_path / "hub", key, _version("2.6.0"))) as hub:
        with pytest.raises(TrustError, match="no key is trusted"):
            _library(hub, trust="enforce")
        assert _library(hub) == "2.6.0"
        assert policy.trusted(hub.url).first == (key.id,)
        assert list(kept(hub.url, INDEX).header.signers.values()) == [(key.id,)]
        assert _library(hub, trust="enforce") == "2.6.0"
        _signed(hub.folder, other, _version("3.0.0"))
        age(DAY)
        with pytest.warns(UserWarning, match="is signed by"):
            assert _library(hub) == "3.0.0"
        assert next(resolve.Search(TINY, EN, hub=hub.url, version="2.6.0").hits()).signers == (key.id,)


# ---------------------------------------------------------------- Spark NLP's hub


ROW = (
    b'{"name":"tiny","language":"en","libVersion":{"parts":[2,6,0]},"sparkVersion":{"parts":[2,4]},"readyToUse":true,'
    b'"time":"2020-08-25T08:36:31.466Z","isZipped":true,"category":"ml","checksum":"","annotator":"BertEmbeddings"}\n'
)


def test_a_hub_of_spark_nlp_alone_is_resolved_from_its_list_once_per_ttl(tmp_path: Path) -> None:
    (tmp_path / "foreign/clinical/models").mkdir(parents=True)
    (tmp_path / "foreign/clinical/models/metadata.json").write_bytes(ROW)
    with listening(tmp_path / "foreign") as hub:
        for _ in range(2):
            release = resolve.find(TINY, EN, hub=hub.url, folder="clinical/models")[1]
            assert release.foreign and release.library_version == "2.6.0"
        assert hub.taken()[-1] == "200 clinical/models/metadata.json"
        assert hub.taken() == []
        store, release = resolve.find(TINY, EN, hub=hub.url, folder="clinical/models", offline=True)
        assert store is None and release.foreign
        _tell(hub.folder)
        with pytest.raises(NotFound):
            resolve.find(TINY, EN, hub=hub.url, folder="clinical/models", refresh=True)
