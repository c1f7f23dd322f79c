"""What a hub can say: paths that lead out, lines about others, documents without end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import wellread
from tests.fixtures.web_server import Answer, serving
from tests.registry.samples import released
from tests.registry.watched import unproved
from tests.security.hostile import EN, TINY, forge, found, line_file, make_hub, raw_line
from wellread.errors import BadInput, IntegrityError, NotFound, WellreadError
from wellread.registry.cache import copies
from wellread.registry.hub.index import alias_key
from wellread.registry.names import ModelName
from wellread.registry.records import HubInfo, encode
from wellread.registry.resolve.places import Place
from wellread.registry.resolve.search import find, hubs
from wellread.registry.retry import open_hub
from wellread.registry.stores import Body, Stat, open_store
from wellread.registry.transfer.fetch import bring


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    make_hub(tmp_path / "hub")
    return tmp_path / "hub"


# ---------------------------------------------------------------- paths


@pytest.mark.parametrize(
    "changes",
    [
        {"folder": "../../outside"},
        {"folder": "/etc"},
        {"folder": "public/../../outside"},
        {"folder": "a\\b"},
        {"folder": "index"},
        {"file": "../tiny_en_2.6.0_2.4_1598344705269.zip"},
        {"name": "../tiny"},
        {"language": "../en"},
        {"id": "../2.6.0_2.4_1598344705269"},
        {"folder": "file:///etc"},
        {"folder": "https://elsewhere.example.org/models"},
        {"folder": "public%2f..%2f.."},
    ],
)
def test_no_line_leads_out_of_the_hub_or_of_the_cache(hub: Path, home: Path, changes: dict[str, str]) -> None:
    line = json.loads(line_file(hub).read_bytes())["release"] | changes
    line_file(hub).write_text(json.dumps({"release": line}))
    with pytest.raises(WellreadError):
        found(hub)
    assert not (home / "cache/models").exists()


@pytest.mark.parametrize("form", ["../../hub", "onnx/../../x", "/etc/passwd", "con:", "\x00", "a" * 300])
def test_a_form_that_is_a_path_leads_nowhere(hub: Path, home: Path, form: str) -> None:
    with pytest.raises(WellreadError):
        wellread.fetch("tiny", form=form, hub=hub)
    forge(hub, forms=[form])
    for asked in (form, "all"):
        with pytest.raises(WellreadError):
            wellread.fetch("tiny", form=asked, hub=hub, refresh=True)
    assert not list(home.glob("cache/models/*/.wellread/*.json"))


@pytest.mark.parametrize("name", ["../tiny", "/tiny", "ti/ny", "tiny\x00", "..", ".hidden", "http://x", "%2e%2e"])
def test_no_name_that_is_asked_for_leads_out(hub: Path, home: Path, name: str) -> None:
    with pytest.raises(BadInput):
        wellread.fetch(name, hub=hub)
    assert not home.exists()


@pytest.mark.parametrize("target", ["../secret", "/etc/hostname", "."])
def test_a_link_in_the_hub_that_leads_out_is_refused(hub: Path, tmp_path: Path, target: str) -> None:
    (tmp_path / "secret").write_bytes(raw_line(released()))
    line_file(hub).unlink()
    line_file(hub).symlink_to(tmp_path / "secret" if target == "../secret" else target)
    with pytest.raises(WellreadError):
        found(hub)


@pytest.mark.parametrize("reference", ["../x", "a/b", "", "x\n", "con"])
def test_an_alias_leads_to_a_name_of_the_same_hub_and_nowhere_else(hub: Path, reference: str) -> None:
    alias = {"format": 1, "reference": "nick", "name": reference, "language": "en"}
    open_store(hub).put_new(alias_key("nick"), json.dumps(alias).encode())
    with pytest.raises(IntegrityError, match="nick"):
        find(ModelName("nick"), EN, hub=hub)


# ---------------------------------------------------------------- another's model


def test_a_line_that_stands_in_anothers_file_is_not_believed(hub: Path, tmp_path: Path) -> None:
    make_hub(tmp_path / "other", name=ModelName("other"))
    line_file(hub).write_bytes(line_file(tmp_path / "other", ModelName("other")).read_bytes())
    with pytest.raises(IntegrityError, match="this is not tiny's"):
        found(hub)


def test_a_line_that_gives_anothers_artifact_for_its_own_is_refused(hub: Path, tmp_path: Path) -> None:
    """The bytes of ``other``, listed as ``tiny`` with digests that fit: the manifest inside tells."""
    _, release = make_hub(tmp_path / "other", name=ModelName("other"))
    mine = found(hub)
    (hub / mine.path).write_bytes((tmp_path / "other" / release.path).read_bytes())
    same = ("size", "sha256", "md5", "manifest", "manifest_size")
    forge(hub, **{field: getattr(release, field) for field in same})
    with pytest.raises(IntegrityError, match="speaks of another artifact"):
        bring(open_store(hub), found(hub), "onnx", prove=unproved)


def test_two_lines_about_one_version_give_one_or_an_error(hub: Path) -> None:
    line = json.loads(line_file(hub).read_bytes())["release"]
    twin = json.dumps({"release": line | {"sha256": "1" * 64}}).encode()
    line_file(hub).write_bytes(line_file(hub).read_bytes() + twin)
    assert found(hub).file == line["file"]


def test_a_hub_on_the_web_cannot_name_a_folder_of_ours_as_its_mirror(hub: Path) -> None:
    mirrors = (str(hub), f"file://{hub}", "ftp://x", "javascript:1", "", "../..")
    info = encode(HubInfo(name="hostile", mirrors=mirrors))
    with serving({"/hub.json": Answer(info, headers={"ETag": '"1"'})}) as server:
        place = Place(open_hub(server.url), server.url)
        place.acquaint()
        assert list(place.mirrors()) == []
        with pytest.raises(NotFound):
            find(TINY, EN, hub=server.url)


@pytest.mark.parametrize(
    ("url", "kept"),
    [("https://models.example.org", 2), ("http://models.example.org", 3), ("s3://models", 2)],
)
def test_no_mirror_is_less_private_than_its_hub(url: str, kept: int) -> None:
    mirrors = ("https://b.example.org", "HTTP://c.example.org", "s3://bucket")
    info = encode(HubInfo(name="hostile", mirrors=mirrors))
    copies._write(copies.Copy(copies.Header(url=url, key="hub.json"), info))
    found = [place.store.url for place in Place(open_hub(url), url).mirrors()]
    assert len(found) == kept
    assert url.startswith("http:") or not [one for one in found if one.startswith("http:")]


def test_a_mirror_is_judged_as_its_hub_is(hub: Path, tmp_path: Path) -> None:
    from wellread.errors import TrustError

    (tmp_path / "front").mkdir()
    (tmp_path / "front/hub.json").write_bytes(encode(HubInfo(name="front", mirrors=(str(hub),))))
    place = Place(open_hub(tmp_path / "front"), str(tmp_path / "front"), trust="enforce")
    place.acquaint()
    with pytest.raises((TrustError, NotFound), match=r"front|tiny"):
        found(tmp_path / "front", trust="enforce")


@pytest.mark.parametrize("scheme", ["ftp", "gopher", "javascript", "data", "jar", "ssh"])
def test_a_hub_of_an_unknown_scheme_is_refused(scheme: str) -> None:
    for url in hubs(f"{scheme}://models.example.org/hub"):
        with pytest.raises(BadInput, match="is not a kind of hub"):
            open_store(url)


# ---------------------------------------------------------------- without end


_DEEP = b"[" * 200_000


@pytest.mark.parametrize(
    "raw",
    [
        _DEEP,
        b'{"release":' + _DEEP,
        b'{"release":{"format":1,"later":' + _DEEP + b"]" * 200_000 + b"}}",
        raw_line(released()).replace(b'"size":1000', b'"size":1' + b"0" * 1_000_000),
        raw_line(released()).replace(b'"size":1000', b'"size":1e999999999'),
        raw_line(released()).replace(b'"name":"tiny"', b'"name":"' + b"\\u0000" * 100_000 + b'"'),
        b"\xff\xfe" * 1000,
        b"\x00" * 1_000_000,
        b"<html>",
    ],
)
def test_a_document_that_is_a_bomb_is_an_error_and_no_crash(hub: Path, raw: bytes) -> None:
    line_file(hub).write_bytes(raw)
    with pytest.raises(IntegrityError) as caught:
        found(hub)
    assert len(str(caught.value)) < 2000


def test_an_index_without_end_is_cut_off() -> None:
    read = []

    def endless() -> Iterator[bytes]:
        while True:
            read.append(1)
            yield b"x" * 65536

    class Endless:
        url = "https://models.example.org"

        def get_range(self, key: str, *_: object, **__: object) -> Body:
            return Body(Stat(-1, "e"), endless())

    with pytest.raises(IntegrityError, match="is larger than 16777216 bytes: this is not a hub's file"):
        copies.take(Endless(), "hub.json", ttl=0)  # type: ignore[arg-type]
    assert len(read) == 257


def test_a_manifest_is_never_larger_than_its_line_may_say(hub: Path) -> None:
    forge(hub, manifest_size=2**30, size=2**31)
    with pytest.raises(IntegrityError, match="cannot be right"):
        found(hub)
