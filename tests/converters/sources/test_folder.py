"""Folders on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixtures.pulling import MODULE, PINS, kept, pulled, write
from wellread.errors import SourceUnavailable


def test_a_folder_is_read_where_it_lies(tmp_path: Path, work: Path) -> None:
    folder = write(tmp_path / "module", MODULE)
    found = pulled(str(folder), work, files=PINS)
    assert (found.folder, found.kind, found.location) == (folder, "folder", str(folder))
    assert not work.exists()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("nowhere", "the folder nowhere is not there"),
        ("tensorflow/bert/tensorFlow2/x/1", "for a Kaggle handle write kaggle:tensorflow/bert/tensorFlow2/x/1"),
    ],
)
def test_what_is_not_there(work: Path, text: str, why: str) -> None:
    with pytest.raises(SourceUnavailable, match=why):
        pulled(text, work)
    assert kept(work) == []


def test_a_file_that_is_no_archive(tmp_path: Path, work: Path) -> None:
    (tmp_path / "model.h5").write_bytes(b"x")
    with pytest.raises(SourceUnavailable, match=r"is a file, and no \.zip"):
        pulled(str(tmp_path / "model.h5"), work)
