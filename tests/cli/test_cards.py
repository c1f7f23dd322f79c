"""``wellread cards`` as a user types it, exit status included."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.command import Command
from tests.model_cards.site.hubs import add
from tests.model_cards.test_lint import POST, ZIP
from tests.registry.samples import Sample, make_manifest, make_sample
from tests.security.hostile import make_hub
from wellread.errors import IntegrityError
from wellread.model_cards.facts import card_of, render_card
from wellread.model_cards.reading import read_card
from wellread.model_cards.writing import write_plain, write_readme
from wellread.registry.pieces import sha256
from wellread.registry.records import Trial

FACTS: dict[str, Any] = {"author": "us", "edition": "Community", "tags": ("bert",)}
CARD = {"README.md": render_card(make_manifest(**FACTS)).encode()}
DAMAGED = {"README.md": CARD["README.md"].replace(b"| Dimension | 32 |", b"| Dimension | 64 |")}


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    """An artifact whose card is the one that a press writes, and its proof."""
    return make_sample(tmp_path / "sample", CARD, **FACTS)


@pytest.fixture
def post(tmp_path: Path) -> Path:
    (tmp_path / "posts").mkdir()
    file = tmp_path / "posts/2020-08-25-small_bert_L8_512_en.md"
    file.write_text(POST, encoding="utf-8")
    return file


# ---------------------------------------------------------------- check


RAN = Trial(tab="Python", outcome="passed")
ABSENT = Trial(tab="Transformers", outcome="not run", why="transformers is not installed: pip install transformers")
BROKEN = Trial(tab="ONNX Runtime", outcome="failed", why="line 5: ids = …\x1b[2J: TypeError: no\nsecond line")


@pytest.mark.parametrize(("trials", "code"), [((RAN, ABSENT), 0), ((RAN, ABSENT, BROKEN), 1), ((), 0)])
def test_check_says_which_snippets_ran_and_why_others_did_not(
    command: Command, sample: Sample, monkeypatch: pytest.MonkeyPatch, trials: tuple[Trial, ...], code: int
) -> None:
    monkeypatch.setattr("wellread.cli.cards.try_release", lambda _: trials)
    said = command("cards", "check", sample.zip)
    assert said.code == code
    for trial in trials:
        assert next(line for line in said.out.splitlines() if line.startswith(trial.tab)).split(trial.tab)[1].strip()
    assert ("pip install transformers" in said.out) == (ABSENT in trials)
    assert "\x1b" not in said.out
    as_json = command("cards", "check", sample.zip, "--json")
    assert as_json.code == code
    assert [trial["tab"] for trial in as_json.json[0]["trials"]] == [trial.tab for trial in trials]


def test_check_of_a_model_tries_the_very_bytes_that_were_published(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, release = make_hub(tmp_path / "hub")
    tried: dict[str, str] = {}

    def try_release(path: Path) -> tuple[Trial, ...]:
        tried[path.name] = sha256(path.read_bytes())
        return (RAN,)

    monkeypatch.setattr("wellread.cli.cards.try_release", try_release)
    assert command("cards", "check", "tiny", "--hub", tmp_path / "hub").code == 0
    assert tried == {release.file: release.sha256}


def test_check_refuses_what_is_no_artifact(command: Command, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"no zip")
    refused = command("cards", "check", tmp_path / "a.zip")
    assert (refused.code, refused.out) == (1, "")
    assert "is not an artifact" in refused.err


def test_of_a_post_or_a_recipe_it_says_who_checks_it(command: Command, post: Path) -> None:
    for words in (("check",), ("show",)):
        refused = command("cards", *words, post)
        assert refused.code == 1
        assert f"{words[0]} takes a ZIP or a NAME; for a post: wellread cards lint {post}" in refused.err
    (recipe := post.with_name("tiny.yaml")).write_text("name: tiny\n")
    refused = command("cards", "lint", recipe)
    assert (refused.code, refused.out) == (1, "")
    assert f"is a recipe: wellread recipes check {recipe}" in refused.err


@pytest.mark.parametrize("name", ["check", "show", "lint"])
def test_a_name_that_is_nowhere_comes_with_what_to_do(command: Command, tmp_path: Path, home: Path, name: str) -> None:
    refused = command("cards", name, "nothing")
    assert refused.code == 1 and refused.err.count("\n") == 1
    assert str(home) in refused.err and "Give --hub, or set WELLREAD_HUB" in refused.err
    add(tmp_path / "hub")
    assert command("cards", name, "nothing", "--hub", tmp_path / "hub").err.endswith("Give another --hub.\n")
    assert command("cards", name, "tiny2", "--hub", tmp_path / "hub").err.endswith("Did you mean 'tiny'?\n")


def test_on_a_terminal_check_says_that_it_works(
    command: Command, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wellread.cli.cards.try_release", lambda _: (RAN,))
    assert command("cards", "check", sample.zip).err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    said = command("cards", "check", sample.zip).err
    assert sample.zip.name in said and said.endswith("\n")


# ---------------------------------------------------------------- lint


def test_lint_of_a_folder_of_artifacts_looks_into_each(command: Command, tmp_path: Path) -> None:
    damaged = make_sample(tmp_path / "dist", DAMAGED, **FACTS)
    (tmp_path / "dist/a.zip").write_bytes(b"no zip")
    said = command("cards", "lint", tmp_path / "dist")
    assert said.code == 1
    assert "Dimension is 64 here, 32 in the manifest" in said.out
    assert f"{tmp_path / 'dist/a.zip'}:1: is not an artifact" in said.out
    assert damaged.zip.name in said.out and said.err == "2 problems in 2 of 3 cards\n"


def test_lint_of_a_sound_card_is_silent_on_stdout(command: Command, sample: Sample, post: Path) -> None:
    for target in (sample.zip, post, post.parent):
        said = command("cards", "lint", target)
        assert (said.code, said.out, said.err) == (0, "", "nothing is wrong with it\n")
    assert command("cards", "lint", post, "--json").json == []


def test_lint_names_file_and_line_and_ends_with_1(command: Command, post: Path) -> None:
    post.write_text(POST.replace("|512|", "|768|").replace("Books.", ""), encoding="utf-8")
    (post.parent / "deep").mkdir()
    (post.parent / "deep/2020-08-25-small_bert_L8_512.md").write_text(POST, encoding="utf-8")
    said = command("cards", "lint", post.parent)
    dimension = 1 + POST[: POST.index("|Dimension")].count("\n")
    assert said.code == 1
    assert f"{post}:{dimension}: Dimension is 768 here, 512 in the title\n" in said.out
    assert said.err == "2 problems in 1 of 2 cards\n"
    found = command("cards", "lint", post.parent, "--json")
    assert found.code == 1
    assert {"file": str(post), "line": dimension, "message": "Dimension is 768 here, 512 in the title"} in found.json


@pytest.mark.parametrize(
    ("raw", "line", "message"),
    [
        (b"---\nlayout: model\nname: [\n---\n", 4, "front matter cannot be read"),
        (b"---\nlayout: model\n\n", 1, "never ends"),
        (POST.encode().replace(b"Books.", b"B\xfccher."), 1 + POST[: POST.index("Books.")].count("\n"), "UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_as_a_card_is_a_problem_and_stops_no_other(
    command: Command, post: Path, raw: bytes, line: int, message: str
) -> None:
    bad = post.parent / "a.md"
    bad.write_bytes(raw)
    said = command("cards", "lint", post.parent)
    assert said.code == 1
    assert said.out.startswith(f"{bad}:{line}: ") and message in said.out
    assert said.err == "1 problems in 1 of 2 cards\n"


def test_lint_compares_the_card_in_an_artifact_with_its_manifest(command: Command, tmp_path: Path) -> None:
    damaged = make_sample(tmp_path / "damaged", DAMAGED, **FACTS)
    said = command("cards", "lint", damaged.zip)
    assert said.code == 1
    assert f"{damaged.zip}/README.md:" in said.out
    assert "Dimension is 64 here, 32 in the manifest" in said.out


def test_lint_of_a_model_looks_at_the_card_that_its_hub_has(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.registry.samples.FILES", {"model.safetensors": b"", "vocab.txt": b"", **DAMAGED})
    forms = {"torch": make_manifest().forms["torch"].__class__(members=("model.safetensors",), precision="fp32")}
    make_hub(tmp_path / "hub", forms=forms, **FACTS)
    said = command("cards", "lint", "tiny", "--hub", tmp_path / "hub")
    assert said.code == 1
    assert "/README.md:" in said.out and "Dimension is 64 here, 32 in the manifest" in said.out


def test_with_a_hub_dead_links_are_found_and_posts_compared_with_manifests(command: Command, post: Path) -> None:
    hub = post.parent.parent / "hub"
    make_hub(hub, **FACTS)
    dead = command("cards", "lint", post, "--hub", hub)
    assert dead.code == 1
    assert f"the hub has no {ZIP}: the link is dead" in dead.out
    tiny = make_manifest(**FACTS).artifact
    text = write_readme(card_of(make_manifest(**FACTS))).replace("| Dimension | 32 |", "| Dimension | 16 |")
    link = f"[Download](https://a.b/public/models/{tiny}){{:.button}}"
    post.write_text(text.replace("## How to use", f"{link}\n\n## How to use"), encoding="utf-8")
    said = command("cards", "lint", post, "--hub", hub)
    assert "the link is dead" not in said.out
    assert "Dimension is 16 here, 32 in the manifest" in said.out


def test_a_hub_that_is_damaged_is_an_error_and_no_dead_link(
    command: Command, post: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise IntegrityError("the index is damaged")

    monkeypatch.setattr("wellread.registry.resolve.places.Place.listed", broken)
    said = command("cards", "lint", post, "--hub", post.parent)
    assert said.code == 1
    assert "the index is damaged" in said.err and "dead" not in said.out


@pytest.mark.parametrize(
    ("target", "why"), [("none.md", "is not there"), ("a/b", "is not there"), (".", "holds no *.md")]
)
def test_lint_of_nothing_says_so(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str, why: str
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    refused = command("cards", "lint", target)
    assert refused.code == 1 and why in refused.err


def test_what_a_stranger_wrote_into_a_card_is_plain_on_a_terminal(command: Command, post: Path) -> None:
    post.write_text(POST.replace("language: en\n", 'language: "e\\e[2J\\u202en"\n'), encoding="utf-8")
    said = command("cards", "lint", post)
    assert said.code == 1
    assert all(char.isprintable() or char == "\n" for char in said.out)


# ---------------------------------------------------------------- import


def test_import_sums_up_what_it_did(command: Command, post: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = command("cards", "import", post.parent, "--out", out)
    assert (done.code, done.out) == (0, f"1 posts: 1 written, 0 unchanged, 0 refused; in {out}\n")
    assert read_card((out / post.name).read_text("utf-8"), "") == read_card(POST, "")
    assert "0 written, 1 unchanged" in command("cards", "import", post.parent, "--out", out).out


def test_import_says_why_a_post_was_refused_and_writes_the_others(command: Command, post: Path, tmp_path: Path) -> None:
    (post.parent / "bad.md").write_text("---\nname: [\n---\n", encoding="utf-8")
    done = command("cards", "import", post.parent, "--out", tmp_path / "out")
    assert done.code == 1
    assert done.err.startswith("refused: bad.md:3: ")
    assert (tmp_path / "out" / post.name).is_file()
    told = command("cards", "import", post.parent, "--out", tmp_path / "out", "--json")
    assert told.code == 1
    assert [(each["source"], each["outcome"]) for each in told.json] == [
        (post.name, "unchanged"),
        ("bad.md", "refused"),
    ]


def test_import_of_no_folder_and_without_a_target(command: Command, tmp_path: Path) -> None:
    assert command("cards", "import", tmp_path / "none", "--out", tmp_path / "out").code == 1
    assert command("cards", "import", tmp_path).code == 2


# ---------------------------------------------------------------- show


def test_show_prints_the_card_of_an_artifact_with_what_was_measured(command: Command, sample: Sample) -> None:
    shown = command("cards", "show", sample.zip)
    assert shown.code == 0
    assert shown.out.startswith("---\nlayout: model\ntitle: Tiny\n")
    assert "1.00e-06" in shown.out, "the parity that the proof beside it states"
    sample.proof.unlink()
    assert command("cards", "show", sample.zip).out == render_card(sample.manifest)


def test_a_proof_of_other_bytes_adds_nothing(command: Command, sample: Sample, tmp_path: Path) -> None:
    other = make_sample(tmp_path / "other", CARD, **FACTS, citation="Somebody.")
    sample.proof.write_bytes(other.proof.read_bytes())
    assert command("cards", "show", sample.zip).out == render_card(sample.manifest)


def test_show_of_a_model_adds_what_its_hub_says(command: Command, tmp_path: Path) -> None:
    make_hub(tmp_path / "hub", **FACTS)
    (tmp_path / "hub/hub.json").write_text(json.dumps({"name": "h", "mirrors": ["https://models.example.org/hub"]}))
    shown = command("cards", "show", "tiny", "--hub", tmp_path / "hub", "--as", "post")
    assert shown.code == 0
    assert "[Download](https://models.example.org/hub/public/models/tiny_en_2.6.0_2.4_1598344705269.zip)" in shown.out
    assert "1.00e-06" in shown.out
    assert str(tmp_path) not in shown.out


def test_show_loads_by_the_reference_that_the_hub_explains_as_this_model(command: Command, tmp_path: Path) -> None:
    hub, taken, own = tmp_path / "hub", "en.embed.taken", "en.embed.own"
    make_hub(hub, **FACTS, examples=("I love NLP",), aliases=(taken, own))
    assert command("alias", own, "tiny", "--hub", hub).code == 0
    shown = command("cards", "show", "tiny", "--hub", hub)
    assert taken not in shown.out
    assert own in shown.out


def test_show_in_other_kinds(command: Command, sample: Sample) -> None:
    sample.proof.unlink()
    assert command("cards", "show", sample.zip, "--as", "plain").out == write_plain(card_of(sample.manifest))
    assert "{:.h2_title}" in command("cards", "show", sample.zip, "--as", "post").out
    assert command("cards", "show", sample.zip, "--json").json["keys"]["name"] == "tiny"
    assert command("cards", "show", sample.zip, "--as", "pdf").code == 2


def test_show_of_what_is_nowhere(command: Command, tmp_path: Path) -> None:
    refused = command("cards", "show", "nothing", "--hub", tmp_path)
    assert (refused.code, refused.out) == (1, "")
    assert "nothing (en): not in" in refused.err


def test_a_terminal_sees_no_escape_and_a_file_gets_the_card_as_it_is(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile = make_sample(tmp_path / "hostile", description="Text \u202e.", **FACTS)
    assert "Text \u202e." in command("cards", "show", hostile.zip, "--as", "plain").out
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert "Text \\u202e." in command("cards", "show", hostile.zip, "--as", "plain").out


# ---------------------------------------------------------------- help


@pytest.mark.parametrize("name", ["check", "lint", "import", "show"])
def test_every_command_has_worked_examples(command: Command, name: str) -> None:
    shown = command("cards", name, "--help")
    assert shown.code == 0
    assert f"wellread cards {name} " in shown.out
    assert command("cards", name, "--nonsense").code == 2
