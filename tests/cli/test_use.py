"""``wellread fetch`` and ``embed``."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

import wellread
from tests.fixtures.command import Command
from wellread.errors import IntegrityError

pytestmark = pytest.mark.press


def test_fetch_prints_the_folder_of_a_form(command: Command, published: Path, home: Path) -> None:
    folder = Path(command("fetch", "tiny", "--form", "torch", "--hub", published).out.strip())
    assert folder.is_relative_to(home)
    assert (folder / "model.safetensors").is_file() and not (folder / "onnx").exists()
    answer = command("fetch", "tiny", "--hub", published, "--json").json
    assert answer == {"name": "tiny", "path": str(folder)}
    assert (folder / "onnx/model.onnx").is_file()


def test_refresh_tries_a_form_again_that_failed_here(
    command: Command, published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def miss(*_: object) -> None:
        raise IntegrityError("a golden is missed")

    with monkeypatch.context() as broken:
        broken.setattr("wellread.loader._prove", miss)
        assert command("fetch", "tiny", "--hub", published).code == 1
    again = command("fetch", "tiny", "--hub", published)
    assert (again.code, "a golden is missed" in again.err) == (1, True)
    assert command("embed", "tiny", "hello", "--refresh", "--hub", published).code == 0
    assert command("fetch", "tiny", "--hub", published).code == 0


def test_embed_prints_what_encode_gives(command: Command, published: Path) -> None:
    model, texts = wellread.pretrained("tiny", hub=published), ["i love nlp", "hello"]
    rows = command("embed", "tiny", *texts, "--hub", published, "--json").json
    assert [row["text"] for row in rows] == texts
    np.testing.assert_array_equal(np.array([row["vector"] for row in rows], np.float32), model.encode(texts))
    first = f"[{', '.join(f'{number: .6f}' for number in model.encode('hello')[:4])}, …]"
    assert command("embed", "tiny", "hello", "--hub", published).out.split("  ", 1)[1].strip() == f"{first}  (32,)"


def test_embed_gives_words_and_unit_vectors(command: Command, published: Path) -> None:
    words = command("embed", "tiny", "I love", "NLP", "--output-level", "token", "--hub", published, "--json").json
    assert [(row["text"], row["token"]) for row in words] == [("I love", "I"), ("I love", "love"), ("NLP", "NLP")]
    (unit,) = command("embed", "tiny", "hello", "--normalize", "--hub", published, "--json").json
    assert np.linalg.norm(unit["vector"]) == pytest.approx(1, abs=1e-6)


def test_embed_reads_a_text_a_line_from_stdin(
    command: Command, published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = "i love nlp\r\n\nDas Mädchen\n".encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(given), "latin-1"))
    rows = command("embed", "tiny", "-", "--hub", published, "--json").json
    assert [row["text"] for row in rows] == ["i love nlp", "", "Das Mädchen"]
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"")))
    assert command("embed", "tiny", "-", "--hub", published, "--json").json == []


def test_embed_of_what_cannot_be(command: Command, published: Path) -> None:
    assert command("embed", "tiny", "--hub", published).code == 2
    refused = command("embed", "tiny", "hello", "--form", "torch", "--hub", published)
    assert (refused.code, refused.out, "Traceback" in refused.err) == (1, "", False)
