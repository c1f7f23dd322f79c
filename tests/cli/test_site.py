"""``wellread site``: where the site lies, what was done, and why not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.fixtures.command import Command
from tests.model_cards.site.hubs import add
from tests.registry.samples import TIME


@pytest.fixture
def hub(tmp_path: Path, home: Path) -> Path:
    for name in ("a", "b", "c", "d"):
        add(tmp_path / "hub", name)
    return tmp_path / "hub"


def test_it_says_where_the_site_and_the_few_pages_are(
    command: Command, hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first = command("site", "--no-demo", "--hub", "hub")
    assert (first.code, first.err) == (0, "")
    line, *rest = first.out.splitlines()
    assert line.startswith("site  ./site/index.html  4 models, ") and line.endswith(" pages written, 0 unchanged")
    assert [line[:6] for line in rest] == ["hub   "]  # four are too many
    again = command("site", "--no-demo", "--hub", "hub")
    assert "4 models, 0 pages written, " in again.out and again.out.count("\n") == 2
    add(hub, "b", time=TIME + 1)
    third = command("site", "--no-demo", "--hub", "hub", "--out", "./site")
    assert third.out.splitlines()[1:-1] == ["page  ./site/models/en/b.html"]
    assert (tmp_path / "site/models/en/b.html").is_file()


def test_a_small_site_tells_its_pages_again(command: Command, tmp_path: Path) -> None:
    """``make run`` is run twice, and its second answer is to say where to look as well."""
    add(tmp_path / "small", "b")
    for _ in range(2):
        told = command("site", "--no-demo", "--hub", tmp_path / "small", "--out", tmp_path / "out").out.splitlines()
        assert told[1] == f"page  {tmp_path / 'out/models/en/b.html'}"
    assert "0 pages written" in told[0]


def test_a_site_away_from_its_hub_says_that_the_files_must_come_along(
    command: Command, hub: Path, tmp_path: Path
) -> None:
    apart = command("site", "--no-demo", "--hub", hub, "--out", tmp_path / "site")
    assert apart.out.splitlines()[-1].startswith("hub   download links expect the hub's files beside the site")
    assert "download links" not in command("site", "--no-demo", "--hub", hub, "--out", hub).out
    (hub / "hub.json").write_text('{"name": "h", "mirrors": ["https://models.example.org/hub"]}')
    assert "download links" not in command("site", "--no-demo", "--hub", hub, "--out", tmp_path / "site").out


def test_files_of_somebody_else_are_not_written_over(command: Command, hub: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine"
    out.mkdir()
    (out / "README.md").write_text("mine")
    for name in ("robots.txt", "index.html", "404.html", "feed.xml"):
        (out / name).write_text("mine")
    refused = command("site", "--no-demo", "--hub", hub, "--out", out)
    assert (refused.code, refused.out) == (1, "")
    assert "404.html, feed.xml, index.html …" in refused.err and "an empty folder" in refused.err
    assert len(list(out.iterdir())) == 5 and all(path.read_text() == "mine" for path in out.iterdir())
    for name in ("robots.txt", "index.html", "404.html", "feed.xml"):
        (out / name).unlink()
    for _ in range(2):
        assert command("site", "--no-demo", "--hub", hub, "--out", out, "--all").code == 0
    assert (out / "README.md").read_text() == "mine" and (out / "index.html").is_file()


def test_a_site_without_its_demo_says_why_on_the_terminal(
    command: Command, hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    words = ("site", "--hub", hub, "--out", tmp_path / "site")
    for done in (command(*words), command(*words, "--json")):
        assert done.code == 0 and done.err.startswith("wellread: no live demo: npm is not installed")
        assert "--no-demo" in done.err and done.err.count("\n") == 1
    assert command(*words, "--no-demo").err == ""


def test_json(command: Command, hub: Path, tmp_path: Path) -> None:
    done = command("site", "--no-demo", "--hub", hub, "--out", tmp_path / "site", "--json")
    assert done.json["site"] == str(tmp_path / "site/index.html") and done.json["models"] == 4
    assert done.json["changed"] == [f"models/en/{name}.html" for name in "abcd"]


def test_the_address_is_on_the_pages(command: Command, hub: Path, tmp_path: Path) -> None:
    out = tmp_path / "site"
    done = command("site", "--no-demo", "--hub", hub, "--out", out, "--url", "https://models.example.org/x/")
    assert done.code == 0 and "https://models.example.org/x/models/en/a.html" in (out / "sitemap.xml").read_text()


def test_what_is_wrong_is_said_in_a_line(command: Command, hub: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for words, told in {
        ("--hub", tmp_path / "absent"): "there is no folder",
        ("--hub", f"{hub},{hub}"): "a site shows one hub, and 2 are named",
        ("--hub", hub, "--out", tmp_path / "file"): "is not a folder: a site is one",
        ("--hub", hub, "--out", hub / "public"): "lies in public/ of its hub",
        ("--hub", hub, "--url", "models.example.org"): "'models.example.org' is not an address for --url",
    }.items():
        done = command("site", "--no-demo", *words)
        assert (done.code, done.out) == (1, "") and told in done.err and done.err.count("\n") == 1


@pytest.mark.filterwarnings("default")
def test_a_problem_is_a_warning(command: Command, hub: Path, tmp_path: Path) -> None:
    next(hub.glob("public/models/b*.zip")).unlink()
    done = command("site", "--no-demo", "--hub", hub, "--out", tmp_path / "site")
    assert done.code == 0 and "1 model with problems" in done.out
    assert "is listed in the index but not there" in done.err


def test_without_the_libraries_it_says_which_extra_brings_them(
    command: Command, hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wellread.model_cards.site.files.making import parts

    parts.cache_clear()
    for name in [name for name in sys.modules if name.startswith("wellread.model_cards.site.page")]:
        monkeypatch.delitem(sys.modules, name)
    for absent in ("jinja2", "markupsafe"):
        monkeypatch.setitem(sys.modules, absent, None)
    done = command("site", "--hub", hub, "--out", tmp_path / "site")
    assert done.code == 1 and done.err == "wellread: jinja2 is not installed: pip install 'wellread[site]'\n"
    assert not (tmp_path / "site").exists()
