"""A folder of posts becomes ours: each for itself, at the address that it had, and only once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.model_cards import posts
from tests.registry.samples import write_files
from wellread.errors import BadInput, WellreadError
from wellread.model_cards.migration import Report, import_posts
from wellread.model_cards.reading import LONGEST, read_card

SMALL = "2020-08-25-small_bert_L8_512.md"


def folder_of(root: Path, **files: Any) -> Path:
    named = {name.replace("__", "/"): data for name, data in files.items()}
    return write_files(root / "posts", {k: v.encode() if isinstance(v, str) else v for k, v in named.items()})


def outcomes(report: Report) -> dict[str, str]:
    return {post.source: post.outcome for post in report.posts}


def named(name: str, **other: str) -> str:
    fields = {"name": name, "date": "2020-08-25", "language": "en"} | other
    front = "".join(f"{key}: {value}\n" for key, value in fields.items())
    return f"---\n{front}---\n## Description\nIt is {name}.\n"


def test_a_folder_that_cannot_be_read_is_not_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, scandir = folder_of(tmp_path, locked__a=named("a")), os.scandir

    def locked(path: str) -> Any:
        if path.endswith("locked"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    with (
        monkeypatch.context() as patched,
        pytest.raises(WellreadError, match=r"cannot read .*locked: Permission denied; make it readable"),
    ):
        patched.setattr(os, "scandir", locked)
        import_posts(folder, tmp_path / "out")


def test_posts_are_imported_once(tmp_path: Path) -> None:
    folder = folder_of(
        tmp_path, **{f"ann__{SMALL}": posts.post(), "2020-05-05-lemma_bg.md": named("lemma"), "x.txt": "no"}
    )
    first = import_posts(folder, tmp_path / "out")
    assert outcomes(first) == {f"ann/{SMALL}": "written", "2020-05-05-lemma_bg.md": "written"}
    assert [post.target for post in first.posts] == ["2020-05-05-lemma_bg.md", SMALL]
    kept = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in (tmp_path / "out").iterdir()}
    assert read_card(kept[SMALL][0].decode(), SMALL) == read_card(posts.post(), "post")
    assert import_posts(folder, tmp_path / "out").count("unchanged") == 2
    assert kept == {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in (tmp_path / "out").iterdir()}


def test_its_own_output_is_imported_without_a_change(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, **{SMALL: posts.post(), "06-05-2020-old_.md": named("old"), "new.md": named("new")})
    import_posts(folder, tmp_path / "one")
    again = import_posts(tmp_path / "one", tmp_path / "two")
    assert again.count("written") == 3 and all(post.source == post.target for post in again.posts)
    assert {path.name: path.read_bytes() for path in (tmp_path / "one").iterdir()} == {
        path.name: path.read_bytes() for path in (tmp_path / "two").iterdir()
    }


@pytest.mark.parametrize(
    ("file", "other", "target"),
    [
        ("2020-09-02-ner_de.md", {}, "2020-09-02-ner_de.md"),
        ("06-05-2020-explain_document_lg_.md", {}, "2020-05-06-explain_document_lg_.md"),
        ("card.md", {}, "2020-08-25-tiny_en.md"),
        ("card.md", {"date": "28/04/2020", "language": "[de, fr]"}, "2020-04-28-tiny_de-fr.md"),
        ("card.md", {"date": "2020-07-29 23:34:00 +0800"}, "2020-07-29-tiny_en.md"),
        ("card.md", {"date": "2020-07-29T23:34:00Z", "language": ""}, "2020-07-29-tiny_.md"),
    ],
)
def test_a_post_keeps_its_address_or_gets_one(tmp_path: Path, file: str, other: dict[str, str], target: str) -> None:
    (post,) = import_posts(folder_of(tmp_path, **{file: named("tiny", **other)}), tmp_path / "out").posts
    assert (post.outcome, post.target) == ("written", target)


def test_one_bad_post_stops_no_other(tmp_path: Path) -> None:
    folder = folder_of(
        tmp_path,
        **{
            "a.md": "---\nname: x\ntitle: b: c\n---\n",
            "b.md": b"---\nname: \xff\n---\n",
            "c.md": named("tiny", date="soon"),
            "d.md": named("../../etc/passwd"),
            "e.md": "# Read me\n\nNo card.\n",
            "f.md": "---\nlayout: page\n---\n",
            "g.md": b" " * (4 * LONGEST + 1),
            "h.md": named("tiny"),
        },
    )
    (folder / "i.md").mkdir()
    (folder / "j.md").symlink_to(folder / "nowhere")
    report = import_posts(folder, tmp_path / "out")
    why = {post.source: post.why for post in report.posts}
    assert [post.source for post in report.posts if post.outcome == "written"] == ["h.md"]
    assert report.count("refused") == 7
    assert why["a.md"].startswith("a.md:3: the front matter cannot be read: mapping values")
    assert why["b.md"].startswith("b.md:2 is not UTF-8")
    assert why["c.md"].startswith("c.md: 'soon' is not a day")
    assert why["d.md"].startswith("d.md: '../../etc/passwd_en' is not a model name")
    assert "needs a line 'name: …'" in why["e.md"] and "needs a line 'name: …'" in why["f.md"]
    assert why["g.md"].startswith("g.md has more than")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["2020-08-25-tiny_en.md"]


def test_two_posts_that_would_be_one_file_are_both_refused(tmp_path: Path) -> None:
    files = {
        f"ann__{SMALL}": named("one"),
        f"bob__{SMALL}": named("two"),
        f"carl__{SMALL.upper()[:-3]}.md": named("three"),
    }
    report = import_posts(folder_of(tmp_path, **files), tmp_path / "out")
    assert set(outcomes(report).values()) == {"refused"} and len(report.posts) == 3
    assert all("another post becomes" in post.why and post.target in post.why for post in report.posts)
    assert not (tmp_path / "out").exists()


def test_where_it_is_written_is_not_read(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, **{"card.md": named("tiny")})
    assert import_posts(folder, folder / "new").count("written") == 1
    assert outcomes(import_posts(folder, folder / "new")) == {"card.md": "unchanged"}
    with pytest.raises(BadInput, match="holds the posts that are to be imported"):
        import_posts(folder, folder)


def test_no_folder_and_no_room(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"nowhere is not a folder"):
        import_posts(tmp_path / "nowhere", tmp_path / "out")
    folder = folder_of(tmp_path, **{"card.md": named("tiny")})
    (tmp_path / "out").write_text("a file")
    with pytest.raises(WellreadError, match="cannot write"):
        import_posts(folder, tmp_path / "out")
