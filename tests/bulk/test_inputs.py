"""Which files inputs stand for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bulk.conftest import Write
from wellread.bulk.inputs import listed
from wellread.bulk.kinds import COMPRESSIONS, KINDS, kind_of
from wellread.errors import BadInput, NotFound

NAMES = ("a.csv", "a.txt", "deep/b.jsonl", "deep/c.txt.gz", "deep/er/lang=en/d e.txt")
OTHERS = ("README.md", "deep/x.parquet.gz", "_plan.txt", ".hidden.txt", "deep/_old/a.txt", "deep/.git/a.txt")


@pytest.fixture
def folder(write: Write, tmp_path: Path) -> Path:
    for name in (*NAMES, *OTHERS):
        write(f"texts/{name}", "text")
    return tmp_path / "texts"


def found(folder: Path, *inputs: object, output: str = "") -> list[str]:
    return [Path(file.path).relative_to(folder).as_posix() for file in listed([str(i) for i in inputs], output)]


def test_a_folder_stands_for_all_below_it_that_is_of_a_kind(folder: Path) -> None:
    assert found(folder, folder) == sorted(NAMES)
    assert found(folder, f"file://{folder}") == sorted(NAMES)


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("*.txt", ["a.txt"]),
        ("**/*.txt", ["a.txt", "deep/er/lang=en/d e.txt"]),
        ("*/?.jsonl", ["deep/b.jsonl"]),
        ("[ab].csv", ["a.csv"]),
        ("**", sorted(NAMES)),
    ],
)
def test_a_pattern_stands_for_what_it_matches(pattern: str, names: list[str], folder: Path) -> None:
    assert found(folder, folder / pattern) == names


def test_each_file_is_read_once_in_the_order_of_the_names(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert found(folder, "deep", "a.txt", folder / "*.txt", ".") == sorted(NAMES)


def test_a_file_that_is_named_may_be_private(folder: Path) -> None:
    assert found(folder, folder / "_plan.txt") == ["_plan.txt"]


def test_a_name_with_signs_of_a_pattern_is_a_name_first(write: Write, tmp_path: Path) -> None:
    write("a[1].txt", "text")
    write("a1.txt", "text")
    assert found(tmp_path, tmp_path / "a[1].txt") == ["a[1].txt"]


def test_what_links_lead_to_is_read_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "aa.txt").symlink_to(folder / "deep/c.txt.gz")
    for number in range(3):  # each way through all three would be another path
        (folder / f"loop{number}").symlink_to(folder)
    (folder / "nowhere.txt").symlink_to(folder / "none.txt")
    monkeypatch.chdir(folder)
    assert found(folder, folder, "**/*.txt", "**", "deep/../a.txt", "loop0/a.txt") == sorted(NAMES)
    assert found(folder, "aa.txt") == ["aa.txt"]
    assert found(folder, "loop0/*.csv") == ["loop0/a.csv"]


def test_what_a_run_writes_is_not_read_by_the_next(folder: Path) -> None:
    assert found(folder, folder, output=str(folder / "deep")) == ["a.csv", "a.txt"]
    (folder.parent / "link").symlink_to(folder / "deep")
    assert found(folder, folder, output=str(folder.parent / "link")) == ["a.csv", "a.txt"]


def test_names_may_be_odd_but_are_text(folder: Path) -> None:
    odd = "line\nbreak %20 [1] 'quoted\" \u202e.txt"
    (folder / odd).touch()
    assert odd in found(folder, folder)
    try:
        (folder / "\udcff.txt").touch()
    except OSError:
        pytest.skip("a name here is text")
    with pytest.raises(BadInput, match=r"\\xff.txt: its name is not UTF-8: rename it"):
        listed([str(folder)])


def test_a_pattern_that_is_none_is_refused(folder: Path) -> None:
    with pytest.raises(BadInput, match="entire path component"):
        listed([str(folder / "**.txt")])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("none.txt", "no such file"),
        ("*.parquet", "no such file of a kind that is read. Known: .parquet"),
        ("deep/.git", "no file of texts in it"),
    ],
)
def test_what_stands_for_nothing_is_said(given: str, said: str, folder: Path) -> None:
    (folder / "deep/.git/a.txt").unlink()
    with pytest.raises(NotFound, match=said):
        listed([str(folder / given)])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("README.md", "of no kind that is read"),
        ("a.paquet", "Did you mean '.parquet'"),
        ("x.parquet.gz", "all but parquet with .gz"),
        ("https://user:pass@example.org/a.csv", "folders and from s3"),
    ],
)
def test_what_cannot_be_read_is_refused(given: str, said: str) -> None:
    with pytest.raises(BadInput, match=said) as refused:
        listed([given])
    assert "pass" not in str(refused.value)


def test_a_kind_is_told_by_how_a_name_ends() -> None:
    assert kind_of("/x/A.CSV.GZ") == ("csv", "gzip")
    for suffix, kind in KINDS.items():
        assert kind_of(f"a.b{suffix}") == (kind, "")
        for other, codec in COMPRESSIONS.items():
            if kind != "parquet":
                assert kind_of(f"a{suffix}{other}") == (kind, codec)
