"""TF-Hub modules, through tensorflow_hub and its cache."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pytest

from tests.converters.test_archive import contents
from tests.fixtures.pulling import EVIL, MODULE, PINS, TGZ, pulled, reject, write
from tests.fixtures.web_server import Answer, serving
from wellread.converters.pull import pull
from wellread.converters.sources import parse_source
from wellread.errors import CorruptSource, SourceUnavailable


@pytest.mark.press
def test_a_tf_hub_module_through_tensorflow_hub(caches: Path, work: Path) -> None:
    with serving({"/small_bert/1": Answer(TGZ)}) as hub:
        handle = f"{hub.url}/small_bert/1"
        found = pulled(f"tfhub:{handle}", work, files=PINS)
        assert contents(found.folder) == MODULE
        assert found.folder == caches / "TFHUB_CACHE_DIR" / hashlib.sha1(handle.encode()).hexdigest()
        assert set(hub.asked) == {"GET /small_bert/1?tf-hub-format=compressed"}
    assert pulled(f"tfhub:{handle}", work, files=PINS).folder == found.folder, "from the cache, with the hub gone"


def test_a_module_in_the_cache_needs_no_tensorflow(caches: Path, work: Path) -> None:
    handle = "https://tfhub.dev/publisher/module/1"
    write(caches / "TFHUB_CACHE_DIR" / hashlib.sha1(handle.encode()).hexdigest(), MODULE)
    assert contents(pulled(f"tfhub:{handle}", work).folder) == MODULE


def test_a_corrupt_module_in_the_hubs_own_cache_is_named_and_left_alone(caches: Path, work: Path) -> None:
    source = parse_source("tfhub:https://tfhub.dev/publisher/module/1")
    name = hashlib.sha1(source.location.encode()).hexdigest()
    folder = write(caches / "TFHUB_CACHE_DIR" / name, MODULE)
    with pytest.raises(CorruptSource, match=f"crc32c is wrong\n.*remove {folder}, then try again"):
        pull([source], work, accept=reject)
    assert contents(folder) == MODULE


def test_a_corrupt_module_in_our_own_cache_is_thrown_away(
    caches: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TFHUB_CACHE_DIR")
    source = parse_source("tfhub:https://tfhub.dev/publisher/module/1")
    folder = write(work / "tfhub" / hashlib.sha1(source.location.encode()).hexdigest(), MODULE)
    with pytest.raises(CorruptSource, match=r"^crc32c is wrong$"):
        pull([source], work, accept=reject)
    assert not folder.exists()


def test_a_module_the_hub_does_not_have_is_known_before_tensorflow_is_asked(caches: Path, work: Path) -> None:
    with serving({}) as hub, pytest.raises(SourceUnavailable, match="the server answered 404"):
        pulled(f"tfhub:{hub.url}/small_bert/1", work)
    assert not caches.exists()


@pytest.mark.press
def test_a_hostile_module_does_not_leave_the_cache(caches: Path, work: Path) -> None:
    with serving({"/evil/1": Answer(gzip.compress(EVIL))}) as hub, pytest.raises(SourceUnavailable):
        pulled(f"tfhub:{hub.url}/evil/1", work)
    assert not list(caches.rglob("evil"))
