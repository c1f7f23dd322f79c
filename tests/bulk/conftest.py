"""A tiny model, open, and its hub, made once a session; and runs over files by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from pyarrow import parquet

import wellread
from tests.fixtures.running import running_hub
from wellread.bulk.plan import Options
from wellread.bulk.run import Summary, embed_files
from wellread.runtime.model import Model

Write = Callable[..., Path]


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hub with ``tiny`` (en)."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("WELLREAD_HOME", str(tmp_path_factory.mktemp("home")))
        return running_hub(tmp_path_factory.mktemp("running"))


@pytest.fixture(scope="session")
def model(running: Path, tmp_path_factory: pytest.TempPathFactory) -> Model:
    """The model, in a cache that stays for the session."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("WELLREAD_HOME", str(tmp_path_factory.mktemp("kept")))
        return wellread.pretrained("tiny", hub=running)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """``write("texts/a.parquet", {"text": […]}, row_group_size=3)``; bytes and str for the other kinds."""

    def written(name: str, content: bytes | str | Mapping[str, Any], **options: Any) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Mapping):
            parquet.write_table(pa.table(dict(content)), path, **options)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return written


TEXTS = ["I love NLP", None, "", "the quick brown fox", "hello", "jumps over the lazy dog", "a good model", None, "we"]


class Run:
    """``run(Options(…))`` over ``texts/`` into ``out/``."""

    def __init__(self, model: Model, root: Path) -> None:
        self.model, self.inputs, self.out = model, root / "texts", root / "out"

    def __call__(self, options: Options | None = None, **fields: Any) -> Summary:
        options = msgspec.structs.replace(options or Options(rows=4), **fields)
        return embed_files(self.model, [str(self.inputs)], str(self.out), options)

    @property
    def parts(self) -> list[str]:
        return sorted(path.name for path in self.out.glob("*.parquet"))

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [row for part in self.parts for row in parquet.read_table(self.out / part).to_pylist()]


@pytest.fixture
def run(model: Model, tmp_path: Path, write: Write) -> Run:
    write("texts/a.parquet", {"id": range(len(TEXTS)), "text": TEXTS, "other": [[n] for n in range(len(TEXTS))]})
    write("texts/b.txt", "this is new york\r\nanother word\r\n")
    return Run(model, tmp_path)


def files(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.glob("part-*")}


def change_a_file(run: Run) -> None:
    with (run.inputs / "b.txt").open("a") as file:
        file.write("more\n")
