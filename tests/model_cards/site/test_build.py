"""Building a site: whole, then what changed; the same bytes either way, and nobody else's file is touched."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.s3 import s3_server
from tests.model_cards.site.hubs import add, build, contents, page
from tests.registry.listening import listening
from tests.registry.samples import TIME, flip
from wellread.errors import BadInput, NotFound
from wellread.model_cards.site.files.output import Output
from wellread.model_cards.site.hub.models import Model
from wellread.model_cards.site.places import Site
from wellread.registry.artifact.proof import proof_name
from wellread.registry.hub import states
from wellread.registry.hub.info import describe_hub
from wellread.registry.names import DEFAULT_FOLDER, Lang, ModelName
from wellread.registry.stores import open_store
from wellread.registry.views.update import update_views


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    """Three models; ``tiny`` has two releases."""
    hub = tmp_path / "hub"
    add(hub, "tiny", aliases=("en.embed.tiny",), description="A first sentence. A second.")
    add(hub, "tiny", time=TIME + 1000)
    add(hub, "other", task="Translation")
    add(hub, "tiny", "de")
    return hub


def test_every_kind_of_file_is_there(hub: Path, tmp_path: Path) -> None:
    built = build(hub, tmp_path / "site")
    found = contents(tmp_path / "site")
    assert {"index.html", "404.html", "changelog.html", "compare.html", "demo.html", "feed.xml", "robots.txt"} <= set(
        found
    )
    assert {"models.json", "benchmarking.json", "references.json", "search/directory.json"} <= set(found)
    assert {
        f"models/{model}.{kind}" for model in ("en/tiny", "en/other", "de/tiny") for kind in ("html", "json")
    } <= set(found)
    assert (built.models, built.unchanged, built.removed, built.problems) == (3, 0, 0, 0)
    assert built.pages == built.written == sum(name.endswith(".html") for name in found)
    assert built.files == len(found)
    assert built.changed == ("models/de/tiny.html", "models/en/other.html", "models/en/tiny.html")
    assert "site.css" in page(tmp_path / "site") and b"tiny" in found["index.html"]


def test_nothing_new_writes_nothing(hub: Path, tmp_path: Path) -> None:
    build(hub, tmp_path / "site")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "site").rglob("*.*") if path.is_file()}
    built = build(hub, tmp_path / "site")
    assert (built.models, built.written, built.files, built.changed) == (3, 0, 0, ())
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "site").rglob("*.*") if path.is_file()}


def test_all_makes_everything_anew_and_finds_it_the_same(hub: Path, tmp_path: Path) -> None:
    build(hub, tmp_path / "site")
    mark = tmp_path / "site/models/en/tiny.html"
    mark.write_bytes(bytes(mark.stat().st_size))  # as long as it was, so that only a full build sees it
    assert build(hub, tmp_path / "site").written == 0
    built = build(hub, tmp_path / "site", all=True)
    assert built.changed == ("models/en/tiny.html",) and built.written == 1


# ---------------------------------------------------------------- what changed


def change_state(hub: Path, act: states.Act, version: str | None, reason: str) -> None:
    named = (ModelName("tiny"), Lang("en"))
    states.change_state(open_store(hub), act, *named, version=version, folder=DEFAULT_FOLDER, reason=reason)
    update_views(open_store(hub), [named[0]])


def yank_the_older(hub: Path) -> None:
    change_state(hub, "yank", f"2.6.0_2.4_{TIME}", "wrong vocabulary")


def deprecate(hub: Path) -> None:
    change_state(hub, "deprecate", None, "use other instead")


def name_it(hub: Path) -> None:
    states.set_alias(open_store(hub), "en.nickname", ModelName("tiny"), Lang("en"))


def lose_the_proof(hub: Path) -> None:
    (hub / f"public/models/{proof_name(f'tiny_en_2.6.0_2.4_{TIME + 1000}.zip')}").unlink()


def publish_a_third(hub: Path) -> None:
    add(hub, "tiny", time=TIME + 2000, title="Tiny the third")


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        (yank_the_older, "wrong vocabulary"),
        (deprecate, "use other instead"),
        (name_it, ""),
        (lose_the_proof, ""),
        (publish_a_third, "Tiny the third"),
    ],
)
def test_what_changed_is_made_anew_and_nothing_else(hub: Path, tmp_path: Path, change: object, shown: str) -> None:
    """And the site is, byte for byte, the one that a full build makes."""
    assert callable(change)
    build(hub, tmp_path / "site")
    old = contents(tmp_path / "site")
    change(hub)
    built = build(hub, tmp_path / "site")
    new = contents(tmp_path / "site")
    build(hub, tmp_path / "fresh")
    assert new == contents(tmp_path / "fresh")
    assert new != old and shown in page(tmp_path / "site")
    assert set(built.changed) <= {"models/en/tiny.html"}
    assert old["models/en/other.html"] == new["models/en/other.html"]


def test_what_stands_for_a_model_is_what_its_hub_says(hub: Path, tmp_path: Path) -> None:
    name_it(hub)
    states.set_alias(open_store(hub), "en.embed.tiny", ModelName("other"), Lang("en"))
    build(hub, tmp_path / "site")
    rows = json.loads(contents(tmp_path / "site")["models.json"])
    said = {(row["language"], row["name"]): row["aliases"] for row in rows}
    assert said == {("en", "tiny"): ["en.nickname"], ("en", "other"): ["en.embed.tiny"], ("de", "tiny"): []}


def test_a_nickname_that_moves_is_on_the_page_of_its_new_model(hub: Path, tmp_path: Path) -> None:
    name_it(hub)
    build(hub, tmp_path / "site")
    assert "en.nickname" in page(tmp_path / "site")
    states.set_alias(open_store(hub), "en.nickname", ModelName("other"), Lang("en"))
    assert build(hub, tmp_path / "site").changed == ("models/en/other.html", "models/en/tiny.html")
    assert "en.nickname" in page(tmp_path / "site", "other")
    build(hub, tmp_path / "fresh")
    assert contents(tmp_path / "site") == contents(tmp_path / "fresh")


def test_a_model_that_is_gone_takes_its_files_with_it(hub: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    build(hub, site)
    (site / "models/en/mine.html").write_text("not the builder's")
    (site / "notes.txt").write_text("nor this")
    next(hub.glob("index/*/other.jsonl")).unlink()
    next(hub.glob("index/*/tiny.jsonl")).unlink()
    built = build(hub, site)
    left = contents(site)
    assert not {"models/en/other.html", "models/en/tiny.json", "models/de/tiny.html", "tasks/translation.html"} & set(
        left
    )
    assert left["models/en/mine.html"] == b"not the builder's" and left["notes.txt"] == b"nor this"
    assert built.models == 0 and built.removed > 2 and not (site / "models/de").exists()


def test_a_place_that_is_no_hub_any_more_empties_no_site(hub: Path, tmp_path: Path) -> None:
    """A bucket's prefix that was mistyped, a disk that is not mounted."""
    build(hub, tmp_path / "site")
    before = contents(tmp_path / "site")
    shutil.rmtree(hub)
    hub.mkdir()
    with pytest.raises(NotFound, match="is no hub any more"):
        build(hub, tmp_path / "site")
    assert contents(tmp_path / "site") == before


def test_what_somebody_removed_or_cut_short_comes_back(hub: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    build(hub, site)
    before = contents(site)
    (site / "models/en/tiny.json").unlink()
    (site / "models/en/other.html").write_bytes(b"")
    (site / "feed.xml").unlink()
    assert build(hub, site).files == 3
    assert contents(site) == before


def test_another_title_of_the_hub_is_on_every_page(hub: Path, tmp_path: Path) -> None:
    build(hub, tmp_path / "site")
    describe_hub(open_store(hub), name="Models of the house")
    built = build(hub, tmp_path / "site")
    assert built.written == built.pages and "Models of the house" in page(tmp_path / "site")


# ---------------------------------------------------------------- the same bytes


def test_the_hash_seed_and_the_number_of_processes_change_no_byte(tmp_path: Path) -> None:
    from benchmarks.generated_releases import write_releases

    hub = write_releases(tmp_path / "hub", 5)
    script = (
        "import sys; from wellread.model_cards.site.build import build_site\n"
        "if __name__ == '__main__': print(build_site(*sys.argv[1:3], demo=False, processes=int(sys.argv[3])).models)"
    )
    (tmp_path / "script.py").write_text(script)
    for seed in ("1", "2"):
        command = [sys.executable, str(tmp_path / "script.py"), str(hub), str(tmp_path / seed), seed]
        environment = os.environ | {"PYTHONHASHSEED": seed, "TZ": f"UTC+{seed}"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=tmp_path)
        assert (done.stdout, done.stderr) == ("5\n", "")
    assert contents(tmp_path / "1") == contents(tmp_path / "2")


def test_no_page_says_where_it_was_built(hub: Path, tmp_path: Path) -> None:
    flip(next(hub.glob("public/models/other*.zip")), 60)
    with pytest.warns(UserWarning, match="other"):
        build(hub, tmp_path / "site")
    assert not [name for name, data in contents(tmp_path / "site").items() if str(tmp_path).encode() in data]


# ---------------------------------------------------------------- what cannot be read


def test_a_broken_release_is_shown_with_its_problem_and_stops_nobody(hub: Path, tmp_path: Path) -> None:
    broken = next(hub.glob("public/models/other*.zip"))
    whole = broken.read_bytes()
    flip(broken, 60)
    with pytest.warns(UserWarning, match="differs from the index line"):
        built = build(hub, tmp_path / "site")
    assert (built.models, built.problems) == (3, 1)
    assert "differs from the index line" in page(tmp_path / "site", "other")
    broken.write_bytes(whole)
    assert build(hub, tmp_path / "site").changed == ("models/en/other.html",)
    assert "differs" not in page(tmp_path / "site", "other")


def test_an_index_file_that_cannot_be_read_leaves_its_name_out(hub: Path, tmp_path: Path) -> None:
    build(hub, tmp_path / "site")
    next(hub.glob("index/*/other.jsonl")).write_bytes(b"{\n")
    for _ in range(2):
        with pytest.warns(UserWarning, match="other is left out of the site"):
            built = build(hub, tmp_path / "site")
    assert built.models == 2 and not (tmp_path / "site/models/en/other.html").exists()


def test_a_model_whose_page_cannot_be_made_stops_nobody(
    hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wellread.model_cards.site.pages import rendering as pages

    whole = pages.model_page

    def fail(site: Site, model: Model) -> str:
        if model.name == "other":
            raise OverflowError("date value out of range")
        return whole(site, model)

    monkeypatch.setattr(pages, "model_page", fail)
    with pytest.warns(UserWarning, match=r"the page of other \(en\) cannot be made.*date value"):
        built = build(hub, tmp_path / "site")
    assert (built.models, built.problems) == (2, 1)


# ---------------------------------------------------------------- places


def test_a_site_in_the_folder_of_its_hub_leaves_the_hub_alone(hub: Path) -> None:
    before = contents(hub)
    built = build(hub, hub)
    after = contents(hub)
    assert before.items() <= after.items() and built.home == hub / "index.html"
    assert 'href="../../public/models/tiny_en' in page(hub)
    assert build(hub, hub).files == 0


def test_a_site_that_lies_over_its_hub_has_no_file_named_like_the_hubs(hub: Path, tmp_path: Path) -> None:
    """A hub may have a folder models/en, and its list there is models/en/metadata.json."""
    add(hub, "metadata")
    with pytest.warns(UserWarning, match=r"models/en/metadata.json is how a file of the hub may be named"):
        build(hub, tmp_path / "site")
    assert page(tmp_path / "site", "metadata") and not (tmp_path / "site/models/en/metadata.json").exists()


def test_a_hub_behind_a_web_server(hub: Path, tmp_path: Path) -> None:
    with listening(hub) as web:
        assert build(web.url, tmp_path / "site").models == 3
        assert f'href="{web.url}/public/models/tiny_en' in page(tmp_path / "site")
        assert build(web.url, tmp_path / "site").files == 0
        yank_the_older(hub)
        assert build(web.url, tmp_path / "site").changed == ("models/en/tiny.html",)
    assert "wrong vocabulary" in page(tmp_path / "site")


def test_a_hub_in_a_bucket(hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By processes of their own, for a client of a bucket does not survive a fork."""
    with s3_server() as s3:
        s3.lead(monkeypatch)
        url = f"{s3.bucket()}/hub"
        store = open_store(url)
        for key in open_store(hub).list():
            store.put_new(key, hub / key)
        assert build(url, tmp_path / "site", processes=2).models == 3
        shown = page(tmp_path / "site")
        assert f'href="{url.replace("s3:/", s3.endpoint)}/public/models/tiny_en' in shown
        assert f"{url}/public/models/tiny_en" in shown
        assert build(url, tmp_path / "site").files == 0


@pytest.mark.parametrize("part", ["public", "public/models/site", "index", "aliases/x", ".wellread"])
def test_no_site_among_the_releases_of_its_hub(hub: Path, part: str) -> None:
    with pytest.raises(BadInput, match="of its hub, among what is published"):
        build(hub, hub / part)


def test_two_names_that_are_one_file_are_told(hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a disk does not tell capitals, which ours does."""
    add(hub, "Tiny")
    build(hub, tmp_path / "site")
    monkeypatch.setattr(Output, "folds_case", lambda _: True)
    with pytest.warns(UserWarning, match="models/en/Tiny.html and another page differ in capitals alone"):
        build(hub, tmp_path / "fresh")


def test_places_that_are_none(hub: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(BadInput, match="is not a folder"):
        build(hub, tmp_path / "file")
    with pytest.raises(NotFound, match="there is no folder"):
        build(tmp_path / "absent", tmp_path / "site")
    assert not (tmp_path / "site").exists()
