"""What a hostile release can do to the folder and the pages that all models share: nothing but stand there."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.fixtures.site_rows import make_row
from tests.model_cards.site.hubs import add, build, contents
from tests.registry.samples import FORMS, make_proof, make_sample
from wellread.errors import WellreadError
from wellread.model_cards.site.files.output import Output
from wellread.model_cards.site.pages import rendering as pages
from wellread.model_cards.site.pages import search
from wellread.model_cards.site.places import Site, slug
from wellread.registry.artifact.proof import proof_name, write_proof
from wellread.registry.hub.index import add_release
from wellread.registry.hub.publish import release_line
from wellread.registry.names import ModelName
from wellread.registry.records import Benchmark, Form, Proof
from wellread.registry.stores import open_store
from wellread.registry.views.update import update_views

SHARED = re.compile(r"(?!models/|assets/)")
"""Files that visitors of other models load too."""
LONG = "x " * 150_000
SECRETS = ("WELLREAD_KEY", "WELLREAD_TOKENS", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "HF_TOKEN", "NPM_TOKEN")


def put(hub: Path, why: str = "", proof: Callable[[Proof], Proof] = lambda proof: proof, **facts: Any) -> None:
    """Put a release into a hub without asking whether it may be published."""
    sample = make_sample(hub.parent / "made", name=ModelName("evil"), **facts)
    line = release_line(sample.manifest, sample.packed, "public/models")
    release = msgspec.structs.replace(line, state="deprecated", why=why, annotator=why or "x", engine=why or "x")
    store = open_store(hub)
    store.put_new(release.path, sample.zip)
    write_proof(sample.proof, proof(make_proof(sample.manifest, sample.packed)))
    store.put_new(proof_name(release.path), sample.proof)
    add_release(store, release, ())
    update_views(store, [release.name], sample.manifest)


def shared(hub: Path, out: Path) -> dict[str, int]:
    """Path → bytes of what visitors of other models load."""
    with warnings.catch_warnings(action="ignore"):
        assert build(hub, out).models == 2
    return {path: len(raw) for path, raw in contents(out).items() if SHARED.match(path)}


def _many(proof: Proof) -> Proof:
    benchmarks = tuple(Benchmark(form=LONG[:50], size=1, load=0.5, speed=10.0, threads=1) for _ in range(5_000))
    return msgspec.structs.replace(proof, benchmarks=benchmarks, machine={LONG[:1000]: LONG})


BOMBS: dict[str, dict[str, Any]] = {
    "a reason of 300 KB": {"why": LONG},
    "the most of every text": {
        **dict.fromkeys(("title", "author", "edition", "license", "task", "engine"), "é " * 250),
        **dict.fromkeys(("description", "data_source", "citation"), "é " * 10_000),
        "tags": tuple(f"{number} {'t' * 490}" for number in range(500)),
    },
    "10,000 forms": {
        "forms": {**FORMS, **{f"torch-{each}": Form(members=(), precision="fp32") for each in range(10_000)}}
    },
    "a proof without end": {"proof": _many},
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_one_release_makes_no_page_of_the_others_heavy(tmp_path: Path, bomb: str) -> None:
    """Whoever visits another model loads at most 100 KB more for it, in any file."""
    add(tmp_path / "hub")
    put(tmp_path / "hub", **BOMBS[bomb])
    found = shared(tmp_path / "hub", tmp_path / "out")
    put(tmp_path / "honest/hub")
    add(tmp_path / "honest/hub")
    usual = shared(tmp_path / "honest/hub", tmp_path / "honest/out")
    more = {path: size - usual.get(path, 0) for path, size in found.items()}
    assert max(more.values()) < 100_000, more


@pytest.mark.parametrize(
    "task", ["con", "NUL", "aux.", "com1", "..", "/", "index", "../../evil", "\0", "a/b", "Ⅷ", "-"]
)
def test_a_task_names_a_file_on_every_system_and_in_its_folder(task: str) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug(task))
    assert slug(task) not in ("con", "nul", "aux", "com1")


@pytest.mark.parametrize("task", ["embeddings 2", "Embeddings-2", "embeddings.2", "EMBEDDINGS.2.html"])
def test_no_task_takes_the_place_of_anothers_page(task: str) -> None:
    """Long lists have numbered pages, and a task may be called as if it were one."""
    rows = [make_row(f"m{number}", tasks=("Embeddings",)) for number in range(150)]
    made = [path for path, _ in pages.shared_pages(Site(title="x"), [*rows, make_row("evil", tasks=(task,))])]
    assert len(set(made)) == len(made)


def test_a_facet_of_many_values_leaves_the_first_visit_small() -> None:
    rows = [make_row(f"m{number}", tags=tuple(f"{number}-{tag}" for tag in range(64))) for number in range(100)]
    assert len(dict(search.search_files(rows))["search/directory.json"]) < 10_000


# ---------------------------------------------------------------- the folder


@pytest.mark.parametrize("link", ["models", "models/en", "assets", "search", "languages", "tasks"])
def test_nothing_is_written_or_removed_through_a_link_in_the_folder(tmp_path: Path, link: str) -> None:
    """A site may be built into its hub's folder, where its publishers write too."""
    elsewhere, out = tmp_path / "elsewhere", tmp_path / "out"
    for folder in (elsewhere, (out / link).parent):
        folder.mkdir(parents=True)
    (out / link).symlink_to(elsewhere)
    add(tmp_path / "hub")
    with pytest.raises(WellreadError, match="a link that leads out of the site"):
        build(tmp_path / "hub", out)
    assert list(elsewhere.iterdir()) == []
    (elsewhere / "kept.html").write_bytes(b"theirs")
    assert not Output(out).remove(f"{link}/kept.html")
    assert (elsewhere / "kept.html").read_bytes() == b"theirs"


def test_a_site_below_a_link_is_built(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "disk")
    add(tmp_path / "hub")
    assert build(tmp_path / "hub", tmp_path / "out").models == 1
    assert (tmp_path / "disk/models/en/tiny.html").exists()


# ---------------------------------------------------------------- what must not be told


def test_no_secret_of_the_builder_and_none_of_its_paths_is_in_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(tmp_path / "hub")
    put(tmp_path / "hub")
    for proof in (tmp_path / "hub/public/models").glob("evil*.proof.json"):
        proof.write_bytes(b"{broken")
    for variable in SECRETS:
        monkeypatch.setenv(variable, f"canary-{variable}")
    with warnings.catch_warnings(action="ignore"):
        build(tmp_path / "hub", tmp_path / "out")
    told = b"".join(contents(tmp_path / "out").values())
    assert b"canary-" not in told
    assert str(tmp_path).encode() not in told
    assert b"evil" in told


@pytest.mark.parametrize("address", ["https://a.b//evil.example", "https://a.b//evil.example//x", "https://a.b/"])
def test_the_page_for_what_is_not_there_leads_to_no_other_host(address: str) -> None:
    html = dict(pages.shared_pages(Site(title="x", address=address.rstrip("/")), []))["404.html"]
    assert not re.findall(r'(?:href|src|action|data-root)="//', html)


@pytest.mark.parametrize(
    "said",
    [
        {
            "mirrors": [
                "javascript:alert(1)",
                "https://u:p@a.b",
                "https://a.b/?q=1",
                "https://a.b\nc",
                "//a.b",
                "file:///",
            ]
        },
        {"site": "javascript:alert(1)", "notebooks": "../../evil/x/y"},
        {"name": "</title><script>", "keys": ["<b>", "0" * 64]},
        {"name": "x" * 300_000},
    ],
)
def test_a_hub_that_says_strange_things_of_itself_is_not_repeated(tmp_path: Path, said: dict[str, Any]) -> None:
    add(tmp_path / "hub")
    (tmp_path / "hub/hub.json").write_text(json.dumps({"name": "x", **said}), encoding="utf-8")
    with warnings.catch_warnings(action="ignore"):
        build(tmp_path / "hub", tmp_path / "out")
    told = b"".join(raw for path, raw in contents(tmp_path / "out").items() if not path.startswith("assets/"))
    for strange in (b"javascript:", b"u:p@", b"file:///", b"<script>alert", b"</title><script>", b"evil", b"x" * 1000):
        assert strange not in told
