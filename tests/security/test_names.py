"""Names that mean something to one system and not to another: devices, case, letters that look alike."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from tests.security.hostile import line_file, make_hub
from wellread.errors import BadInput, IntegrityError
from wellread.registry.artifact.manifest import is_member_name
from wellread.registry.cache import copies
from wellread.registry.cache.entry import Entry
from wellread.registry.hub.index import index_key, parse_index
from wellread.registry.names import ArtifactName, ModelName, parse_folder, parse_name, parse_reference
from wellread.registry.stores import open_store

DEVICES = ["con", "CON", "Con", "prn", "aux", "nul", "NUL.x", "com1", "COM9", "lpt1", "con.bert.zip", "aux.en"]


@pytest.mark.parametrize("device", DEVICES)
def test_a_windows_device_is_no_name(device: str) -> None:
    for parse in (parse_name, parse_reference):
        with pytest.raises(BadInput):
            parse(device)
    with pytest.raises(BadInput):
        ArtifactName.parse(f"{device}_en_2.6.0_2.4_1598344705269.zip" if "." in device else f"{device}.zip")
    assert not is_member_name(f"{device}.json")
    assert not is_member_name(f"onnx/{device}.json")


@pytest.mark.parametrize("folder", [*DEVICES, "public/con", "aux.x/models", "public./models", "a/b."])
def test_a_folder_is_one_on_every_system(folder: str) -> None:
    with pytest.raises(BadInput, match="is not a folder of a hub"):
        parse_folder(folder)


@pytest.mark.parametrize(
    "name", ["tinу", "ﬁne", "tiny\u200b", "tiny ", "tiny.", "tin\u0131", "TINY\u0130", "ti\u0301ny"]
)
def test_a_name_is_of_ascii_so_that_no_two_look_alike(name: str) -> None:
    """The first ends with a Cyrillic letter; the others are ligature, zero width, space, dot, Turkish i, accent."""
    assert name != unicodedata.normalize("NFKC", "tiny")
    with pytest.raises(BadInput):
        parse_name(name)


def test_names_that_differ_by_case_share_no_file_in_the_cache() -> None:
    lower, upper = (
        Entry(f"{name}_en_2.6.0_2.4_1598344705269", digest * 64) for name, digest in (("tiny", "a"), ("Tiny", "b"))
    )
    assert lower.path.name.casefold() != upper.path.name.casefold()


def test_where_case_is_ignored_another_names_file_is_not_believed(tmp_path: Path) -> None:
    """On such a disk ``Tiny``'s file may be opened as ``tiny``'s: what it says of itself decides."""
    make_hub(tmp_path / "hub", name=ModelName("Tiny"))
    raw = line_file(tmp_path / "hub", ModelName("Tiny")).read_bytes()
    with pytest.raises(IntegrityError, match="this is not tiny's"):
        parse_index(raw, ModelName("tiny"), "a disk that ignores case")


def test_a_copy_of_another_names_file_is_none(tmp_path: Path, home: Path) -> None:
    store = open_store(tmp_path / "hub")
    make_hub(tmp_path / "hub", name=ModelName("Tiny"))
    copies.take(store, index_key(ModelName("Tiny")), ttl=0)
    (copy,) = home.rglob("Tiny.jsonl")
    wrong = home / "cache/hubs" / copy.relative_to(home / "cache/hubs").parts[0] / index_key(ModelName("tiny"))
    wrong.parent.mkdir(parents=True, exist_ok=True)
    copy.replace(wrong)
    assert copies.take(store, index_key(ModelName("tiny")), ttl=0, offline=True) is None
