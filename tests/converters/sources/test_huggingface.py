"""Hugging Face repositories, through huggingface_hub and its cache."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tests.converters.test_archive import contents
from tests.fixtures.pulling import pulled
from tests.fixtures.web_server import Answer, serving


@pytest.mark.press
def test_a_hugging_face_repository_without_its_pickles(
    caches: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = "a" * 40
    repository = {
        "config.json": b"{}",
        "model.safetensors": b"x" * 100,
        "vocab.txt": b"[PAD]\n",
        "pytorch_model.bin": b"!",
    }

    def api(content: object) -> Answer:
        return Answer(json.dumps(content).encode(), headers={"Content-Type": "application/json"})

    tree = [
        {"type": "file", "path": name, "size": len(raw), "oid": hashlib.sha1(raw).hexdigest()}
        for name, raw in repository.items()
    ]
    siblings = [{"rfilename": name} for name in repository]
    table = {
        "/api/models/org/tiny/revision/v1": api({"id": "org/tiny", "sha": commit, "siblings": siblings}),
        f"/api/models/org/tiny/tree/{commit}": api(tree),
        **{
            f"/org/tiny/resolve/{commit}/{name}": Answer(raw, headers={"ETag": f'"{name}"', "X-Repo-Commit": commit})
            for name, raw in repository.items()
        },
    }
    with serving(table) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        found = pulled("hf:org/tiny@v1", work)
    assert contents(found.folder) == {n: raw for n, raw in repository.items() if n != "pytorch_model.bin"}
    assert not any("pytorch_model.bin" in line for line in hub.asked)
    assert pulled("hf:org/tiny@v1", work).folder == found.folder, "from the cache, with the hub gone"
