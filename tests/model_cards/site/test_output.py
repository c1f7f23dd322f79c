"""The folder of a site: files whole or not there, and only touched where their bytes differ."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.model_cards.site.hubs import add, build
from wellread.errors import BadInput, WellreadError
from wellread.model_cards.site.files.output import PRIVATE, ROOT_FILES, Output, prepare, require_ours


@pytest.mark.parametrize("streamed", [False, True])
def test_the_same_bytes_are_not_written_again(tmp_path: Path, streamed: bool) -> None:
    output, path = Output(tmp_path), "models/en/tiny.html"

    def put(*chunks: bytes) -> tuple[int, bool]:
        return output.put(path, iter(chunks) if streamed else b"".join(chunks))

    assert put(b"one", b"two") == (6, True)
    stamp = (tmp_path / path).stat().st_mtime_ns
    assert put(b"onet", b"wo") == (6, False)
    assert (tmp_path / path).stat().st_mtime_ns == stamp
    for other in (b"onetwx", b"onet", b"onetwothree"):
        assert put(other) == (len(other), True)
        assert (tmp_path / path).read_bytes() == other
    assert list((tmp_path / PRIVATE).rglob("[0-9]*")) == []


def test_a_link_is_replaced_and_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"mine")
    (tmp_path / "index.html").symlink_to(tmp_path / "secret")
    Output(tmp_path).put("index.html", b"page")
    assert (tmp_path / "secret").read_bytes() == b"mine" and not (tmp_path / "index.html").is_symlink()


def test_what_is_in_the_way_is_said(tmp_path: Path) -> None:
    (tmp_path / "index.html").mkdir()
    (tmp_path / "models").write_text("a file")
    for path in ("index.html", "models/en/tiny.html"):
        with pytest.raises(WellreadError, match="cannot write"):
            Output(tmp_path).put(path, b"page")


def test_a_file_goes_with_the_folders_that_it_leaves_empty(tmp_path: Path) -> None:
    output = Output(tmp_path)
    for path in ("models/en/tiny.html", "models/de/tiny.html", "models/de/kept.html"):
        output.put(path, b"page")
    assert all(output.remove(path) for path in ("models/en/tiny.html", "models/de/tiny.html"))
    assert not output.remove("models/en/tiny.html")
    assert [path.name for path in (tmp_path / "models").rglob("*")] == ["de", "kept.html"]
    output.put("models/en/tiny.html", b"page")


def test_over_a_hub_no_file_takes_the_name_of_one_of_its_own(tmp_path: Path) -> None:
    alone = Output(tmp_path)
    (tmp_path / "index").mkdir()
    over = Output(tmp_path)
    for path in ("models/en/a_en_2.6.0_2.4_1.proof.json", "models/en/metadata.json"):
        assert over.may_be_a_hubs(path) and not alone.may_be_a_hubs(path)
    assert not over.may_be_a_hubs("models/en/tiny.json")


def test_a_place_is_made_where_it_may_be(tmp_path: Path) -> None:
    assert prepare(tmp_path / "a/b", None) == tmp_path / "a/b"
    assert prepare(tmp_path / "hub", tmp_path / "hub").is_dir()
    (tmp_path / "link").symlink_to(tmp_path / "hub/public")
    (tmp_path / "hub/public").mkdir()
    with pytest.raises(BadInput, match=r"lies in public/ of its hub"):
        prepare(tmp_path / "link", tmp_path / "hub")
    (tmp_path / "file").write_text("")
    with pytest.raises(WellreadError, match="cannot write"):
        prepare(tmp_path / "file/site", None)


def test_what_a_site_has_beside_its_folders_is_known_before_it_is_built(tmp_path: Path) -> None:
    add(tmp_path / "hub", "tiny")
    build(tmp_path / "hub", tmp_path / "site", address="https://models.example.org")
    assert {path.name for path in (tmp_path / "site").iterdir() if path.is_file()} == set(ROOT_FILES)
    require_ours(tmp_path / "site")
    (tmp_path / "site" / PRIVATE / "site-state").unlink()
    with pytest.raises(BadInput, match=r"holds 404\.html"):
        require_ours(tmp_path / "site")
