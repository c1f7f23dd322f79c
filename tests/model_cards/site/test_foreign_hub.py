"""A hub of Spark NLP's, which has a list of its zips and nothing else: shown as far as that list goes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.model_cards.site.hubs import add, build, contents, page
from tests.registry.listening import listening

LIST = "public/models/metadata.json"
MD5 = "0123456789ABCDEF0123456789ABCDEF"


def row(name: str, minute: int = 36, **fields: Any) -> dict[str, Any]:
    versions = {"libVersion": {"parts": [2, 6, 0]}, "sparkVersion": {"parts": [2, 4]}}
    said = {"language": "en", "readyToUse": True, "isZipped": True, "annotator": "BertEmbeddings", "checksum": MD5}
    return {"name": name, "time": f"2020-08-25T08:{minute}:31.466Z", **versions, **said, **fields}


def write_list(hub: Path, *rows: dict[str, Any]) -> None:
    (hub / LIST).parent.mkdir(parents=True, exist_ok=True)
    (hub / LIST).write_text("\n\n".join(map(json.dumps, rows)))


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    """Three models, one of them with two releases, the later one first and another not ready."""
    hub = tmp_path / "hub"
    tiny = row("tiny", 37), row("tiny"), row("tiny", language="de", engine="tensorflow")
    write_list(hub, *tiny, row("other", readyToUse=False, checksum=""), row("unplaced", language=None))
    return hub


def test_its_pages_say_what_the_list_says(hub: Path, tmp_path: Path) -> None:
    built = build(hub, tmp_path / "site")
    assert (built.models, built.problems) == (3, 0)
    shown = page(tmp_path / "site")
    assert "only Spark NLP opens it" in shown and "BertEmbeddings" in shown and MD5 in shown
    assert 'href="../../public/models/tiny_en_2.6.0_2.4_1598344651466.zip"' in shown
    assert "sha256" not in shown and "pretrained" not in shown
    assert shown.index("_1598344651466") < shown.index("_1598344591466")
    assert "does not call it ready for use" in page(tmp_path / "site", "other")
    rows = json.loads(contents(tmp_path / "site")["models.json"])
    assert [(row["name"], row["language"], row["state"]) for row in rows] == [
        ("other", "en", "yanked"), ("tiny", "de", "ready"), ("tiny", "en", "ready"),
    ]  # fmt: skip


def test_only_what_changed_in_the_list_is_made_anew(hub: Path, tmp_path: Path) -> None:
    build(hub, tmp_path / "site")
    assert build(hub, tmp_path / "site").files == 0
    write_list(hub, row("other", readyToUse=False, checksum=""), row("tiny"), row("third"))
    built = build(hub, tmp_path / "site")
    assert built.changed == ("models/en/third.html", "models/en/tiny.html") and built.models == 3
    build(hub, tmp_path / "fresh")
    assert contents(tmp_path / "site") == contents(tmp_path / "fresh")


def test_a_web_server_with_such_a_list(hub: Path, tmp_path: Path) -> None:
    with listening(hub) as web:
        assert build(web.url, tmp_path / "site").models == 3
        assert build(web.url, tmp_path / "site").files == 0


def test_a_hub_of_ours_lists_what_it_has_itself(hub: Path, tmp_path: Path) -> None:
    """Its ``metadata.json`` is only a view, which others may have written into."""
    add(hub, "mine")
    assert json.loads((hub / LIST).read_text().splitlines()[0])
    assert build(hub, tmp_path / "site").models == 1
