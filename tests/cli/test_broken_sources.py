"""Sources that are broken or hostile: none gets through, none shows a traceback, none leaves anything behind."""

from __future__ import annotations

import io
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.test_press import NAMED
from tests.conftest import BuildModule
from tests.fixtures.command import Command

pytestmark = pytest.mark.press

Damage = Callable[[Path], None]


def truncate(name: str) -> Damage:
    def damage(folder: Path) -> None:
        raw = (folder / name).read_bytes()
        (folder / name).write_bytes(raw[: len(raw) * 2 // 3])

    return damage


def flip(name: str) -> Damage:
    def damage(folder: Path) -> None:
        raw = bytearray((folder / name).read_bytes())
        raw[len(raw) // 2] ^= 0x10
        (folder / name).write_bytes(raw)

    return damage


def remove(name: str) -> Damage:
    return lambda folder: (folder / name).unlink()


def replace(name: str, content: bytes) -> Damage:
    def damage(folder: Path) -> None:
        (folder / name).write_bytes(content)

    return damage


def drop_last_line(name: str) -> Damage:
    def damage(folder: Path) -> None:
        lines = (folder / name).read_bytes().splitlines(keepends=True)
        (folder / name).write_bytes(b"".join(lines[:-1]))

    return damage


DATA, INDEX = "variables/variables.data-00000-of-00001", "variables/variables.index"
BROKEN: dict[str, tuple[str, Damage, str]] = {
    "data cut short": ("tf2-dict", truncate(DATA), "variables"),
    "one bit of the data flipped": ("tf2-dict", flip(DATA), "crc32c"),
    "data missing": ("tf2-dict", remove(DATA), "variables.data"),
    "index cut short": ("tf2-dict", truncate(INDEX), "variables.index"),
    "one bit of the index flipped": ("tf2-dict", flip(INDEX), "variables.index"),
    "index missing": ("tf2-dict", remove(INDEX), "index"),
    "graph cut short": ("tf2-dict", truncate("saved_model.pb"), "saved_model.pb"),
    "graph empty": ("tf2-dict", replace("saved_model.pb", b""), "saved_model.pb"),
    "vocabulary missing": ("tf2-dict", remove("assets/vocab.txt"), "vocab"),
    "vocabulary one line short": ("tf2-dict", drop_last_line("assets/vocab.txt"), "vocab.txt"),
    "vocabulary not text": ("tf2-dict", replace("assets/vocab.txt", b"\xff\xfe" * 50), "vocab.txt"),
    "checkpoint's bit flipped": ("tf1-checkpoint", flip("bert_model.ckpt.data-00000-of-00001"), "crc32c"),
    "checkpoint's config missing": ("tf1-checkpoint", remove("bert_config.json"), "heads"),
    "checkpoint's config not JSON": ("tf1-checkpoint", truncate("bert_config.json"), "bert_config.json"),
    "safetensors cut short": ("huggingface", truncate("model.safetensors"), "model.safetensors"),
    "safetensors not safetensors": ("huggingface", replace("model.safetensors", b"\0" * 64), "model.safetensors"),
    "config not JSON": ("huggingface", truncate("config.json"), "config.json"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_source_is_refused(what: str, command: Command, module: BuildModule, tmp_path: Path) -> None:
    kind, damage, word = BROKEN[what]
    source = shutil.copytree(module(kind), tmp_path / "source")
    damage(source)
    refuse(command, source, tmp_path, word)


def refuse(command: Command, source: Path, tmp_path: Path, word: str) -> None:
    done = command("build", source, *NAMED, "--out", tmp_path / "dist", "--hub", tmp_path / "hub")
    assert (done.code, done.out) == (1, ""), done
    assert done.err.startswith("wellread: ")
    assert "Traceback" not in done.err
    assert word in done.err
    assert len(done.err.splitlines()) <= 8
    assert not (tmp_path / "dist").exists() and not (tmp_path / "hub").exists()


def member(name: str, content: bytes = b"x", **fields: object) -> tuple[tarfile.TarInfo, io.BytesIO]:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for field, value in fields.items():
        setattr(info, field, value)
    return info, io.BytesIO(content)


HOSTILE = {
    "climbs out": member("../../evil"),
    "absolute": member("/tmp/evil"),
    "symbolic link": member("link", b"", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
    "hard link": member("link", b"", type=tarfile.LNKTYPE, linkname="../evil"),
    "device": member("device", b"", type=tarfile.CHRTYPE),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_tar_is_refused(what: str, command: Command, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "module.tar.gz", "w:gz") as tar:
        tar.addfile(*member("saved_model.pb"))
        info, content = HOSTILE[what]
        content.seek(0)
        tar.addfile(info, content)
    refuse(command, tmp_path / "module.tar.gz", tmp_path, info.name)
    assert not (tmp_path / "evil").exists() and not (tmp_path.parent / "evil").exists()


def test_a_tar_cut_short_and_a_zip_bomb_are_refused(command: Command, module: BuildModule, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "whole.tar.gz", "w:gz") as tar:
        tar.add(module("tf2-dict"), ".")
    raw = (tmp_path / "whole.tar.gz").read_bytes()
    (tmp_path / "cut.tar.gz").write_bytes(raw[: len(raw) // 2])
    refuse(command, tmp_path / "cut.tar.gz", tmp_path, "cut.tar.gz")
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("saved_model.pb", bytes(300_000_000))
    refuse(command, tmp_path / "bomb.zip", tmp_path, "bomb.zip")


def test_folders_with_nothing_and_with_pickles_are_refused(
    command: Command, module: BuildModule, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    refuse(command, tmp_path / "empty", tmp_path, "empty")
    pickled = shutil.copytree(module("huggingface"), tmp_path / "pickled")
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    refuse(command, pickled, tmp_path, "pickle")


def test_a_whole_archive_is_taken(command: Command, module: BuildModule, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "whole.tar.gz", "w:gz") as tar:
        tar.add(module("huggingface"), ".")
    done = command("build", tmp_path / "whole.tar.gz", *NAMED, "--out", tmp_path / "dist", "--json")
    assert done.code == 0, done.err
    assert done.json["source"]["location"] == "whole.tar.gz"
