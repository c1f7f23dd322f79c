"""The consumer's door, with a real tiny model: from a name to its vectors, and what is said when that cannot be."""

from __future__ import annotations

import pickle
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

import wellread
from tests.fixtures.running import TEXTS, running_files
from tests.fixtures.tiny import tiny_architecture
from tests.registry.listening import DAY, age, listening
from tests.registry.samples import FORMS, TIME, Sample, flip, make_sample
from wellread import loader
from wellread.errors import BadInput, HubUnavailable, IntegrityError, NotFound, TrustError
from wellread.registry.hub.index import add_release
from wellread.registry.hub.publish import publish, release_line
from wellread.registry.names import Lang, ModelName
from wellread.registry.records import Goldens, encode
from wellread.registry.resolve import search as resolve
from wellread.registry.resolve.lockfile import Lock, add, lock_release, write_lock
from wellread.registry.stores import open_store
from wellread.runtime import goldens as replaying

pytestmark = pytest.mark.press

Make = Callable[..., Sample]


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a model that runs, its goldens by the float64 reference."""
    return running_files(tmp_path_factory.mktemp("members"))


@pytest.fixture
def make(tmp_path: Path, members: dict[str, bytes]) -> Make:
    """``make("somewhere", {name: bytes}, time=5)`` → a release of that model, with other members and fields."""

    def make(place: str = "pressed", files: dict[str, bytes] | None = None, **fields: Any) -> Sample:
        fields = {"architecture": tiny_architecture(), "forms": dict(FORMS)} | fields
        return make_sample(tmp_path / place, {**members, **(files or {})}, **fields)

    return make


@pytest.fixture
def hub(make: Make, tmp_path: Path) -> Path:
    sample = make()
    publish(sample.zip, sample.proof, tmp_path / "hub")
    return tmp_path / "hub"


def _expected(members: dict[str, bytes]) -> np.ndarray[Any, Any]:
    goldens = msgspec.json.decode(members["golden.json"], type=Goldens)
    return np.array([golden.vector for golden in goldens.goldens])


# ---------------------------------------------------------------- it works


def test_a_name_gives_the_vectors_of_the_reference(hub: Path, members: dict[str, bytes]) -> None:
    model = wellread.pretrained("tiny", "en", hub=hub)
    np.testing.assert_allclose(model.encode(list(TEXTS)), _expected(members), atol=1e-5)
    assert (model.path / "onnx/model.onnx").is_file()
    assert not (model.path / "onnx/model_int8.onnx").exists()
    assert not (model.path / "model.safetensors").exists()


def test_auto_is_the_fp32_form_and_others_are_asked_for(hub: Path) -> None:
    assert wellread.pretrained("tiny", hub=hub).form == "onnx"
    assert wellread.pretrained("tiny", hub=hub, form="onnx-int8").form == "onnx-int8"


def test_a_warm_load_needs_neither_the_artifact_nor_a_replay(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = wellread.pretrained("tiny", hub=hub)
    shutil.rmtree(hub / "public")
    monkeypatch.setattr(replaying, "replay", lambda *_: pytest.fail("replayed again"))
    assert wellread.pretrained("tiny", hub=hub).path == first.path


def test_an_alias_stands_for_its_model(make: Make, tmp_path: Path) -> None:
    reference = "en.embed.bert.tiny"
    sample = make(aliases=(reference,))
    publish(sample.zip, sample.proof, tmp_path / "hub")
    hubs = f"{tmp_path / 'empty'},{tmp_path / 'hub'}"
    (tmp_path / "empty").mkdir()
    model = wellread.pretrained(reference, hub=hubs)
    assert (model.name, model.language) == ("tiny", "en")
    assert pickle.loads(pickle.dumps(model)).path == wellread.fetch(reference, "fr", hub=hubs) == model.path
    with pytest.raises(NotFound, match=r"no release '9\.9'"):
        wellread.pretrained(reference, hub=hubs, version="9.9")


def test_fetch_gives_the_folder_of_a_form(hub: Path) -> None:
    path = wellread.fetch("tiny", hub=hub, form="torch")
    assert (path / "model.safetensors").is_file()
    assert not (path / "onnx").exists()
    assert wellread.fetch("tiny", hub=hub) == path
    assert wellread.fetch("tiny", hub=hub, form="all") == path
    assert (path / "onnx/model_int8.onnx").is_file()


def test_a_model_pickles_as_its_release(hub: Path, make: Make) -> None:
    model = wellread.pretrained("tiny", hub=hub)
    newer = make("newer", time=TIME + 1)
    publish(newer.zip, newer.proof, hub)
    again = pickle.loads(pickle.dumps(model))
    assert again.path == model.path
    assert wellread.pretrained("tiny", hub=hub).path != model.path
    np.testing.assert_array_equal(again.encode("I love NLP"), model.encode("I love NLP"))


def test_hubs_come_from_the_environment(hub: Path, make: Make, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotFound):
        wellread.pretrained("tiny")
    monkeypatch.setenv("WELLREAD_HUB", f"own,{hub}")
    assert wellread.pretrained("tiny").manifest.time == TIME
    mine = make("mine", time=TIME + 7)
    publish(mine.zip, mine.proof, home / "hub")
    assert wellread.pretrained("tiny").manifest.time == TIME + 7
    assert wellread.pretrained("tiny", version=f"2.6.0_2.4_{TIME}").manifest.time == TIME


def test_a_byte_changed_in_the_cache_is_fetched_again(hub: Path) -> None:
    model = wellread.pretrained("tiny", hub=hub)
    before = model.encode("I love NLP")
    flip(model.path / "onnx/model.onnx", 5000)
    np.testing.assert_array_equal(wellread.pretrained("tiny", hub=hub).encode("I love NLP"), before)
    assert wellread.pretrained("tiny", hub=hub, verify="full").path == model.path


def test_bytes_that_change_after_they_were_checked_are_never_run(hub: Path) -> None:
    model = wellread.pretrained("tiny", hub=hub)
    before = model.encode("I love NLP")
    flip(model.path / "onnx/model.onnx", 5000)
    for _ in ("open", "closed"):
        with pytest.raises(IntegrityError, match=r"model\.onnx has changed since it was checked: load the model again"):
            model.encode("I love NLP")
        model.close()
    np.testing.assert_array_equal(wellread.pretrained("tiny", hub=hub).encode("I love NLP"), before)


def test_an_artifact_opens_without_a_hub(make: Make, members: dict[str, bytes], tmp_path: Path) -> None:
    sample = make()
    model = wellread.open(sample.zip)
    np.testing.assert_allclose(model.encode(list(TEXTS)), _expected(members), atol=1e-5)
    with zipfile.ZipFile(sample.zip) as archive:
        archive.extractall(tmp_path / "unzipped")
    unzipped = wellread.open(str(tmp_path / "unzipped"))
    assert unzipped.path == tmp_path / "unzipped"
    for opened in (model, unzipped):
        again = pickle.loads(pickle.dumps(opened))
        np.testing.assert_array_equal(again.encode(list(TEXTS)), model.encode(list(TEXTS)))


def test_an_artifact_opened_twice_is_unpacked_once(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    sample = make()
    path = wellread.open(sample.zip).path
    monkeypatch.setattr(replaying, "replay", lambda *_: pytest.fail("replayed again"))
    assert wellread.open(sample.zip).path == path


# ---------------------------------------------------------------- it must not


def test_a_model_that_misses_its_goldens_is_never_opened(make: Make, hub: Path, members: dict[str, bytes]) -> None:
    goldens = msgspec.json.decode(members["golden.json"], type=Goldens)
    first, *others = goldens.goldens
    off = msgspec.structs.replace(first, vector=(first.vector[0] + 0.1, *first.vector[1:]))
    wrong = encode(msgspec.structs.replace(goldens, goldens=(off, *others)))
    sample = make("wrong", {"golden.json": wrong}, time=TIME + 5)
    publish(sample.zip, sample.proof, hub)
    with pytest.raises(IntegrityError, match=r"(?s)misses a golden.*quarantined in"):
        wellread.pretrained("tiny", hub=hub)
    with pytest.raises(IntegrityError, match=r"(?s)misses a golden.*quarantined in"):
        wellread.open(sample.zip)
    assert wellread.pretrained("tiny", hub=hub, version=f"2.6.0_2.4_{TIME}").manifest.time == TIME


def test_a_form_that_missed_its_goldens_is_tried_again_when_asked(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def miss(*_: object) -> None:
        tried.append(True)
        raise IntegrityError("misses a golden")

    tried: list[bool] = []
    with monkeypatch.context() as patched:
        patched.setattr(replaying, "replay", miss)
        for refresh, tries in ((False, 1), (False, 1), (True, 2)):
            with pytest.raises(IntegrityError, match="misses a golden"):
                wellread.pretrained("tiny", hub=hub, refresh=refresh)
            assert len(tried) == tries
    with pytest.raises(IntegrityError, match="misses a golden"):
        wellread.pretrained("tiny", hub=hub)
    assert wellread.pretrained("tiny", hub=hub, refresh=True).path == wellread.fetch("tiny", hub=hub)


def test_a_pinned_load_asks_the_hub_only_to_refresh(hub: Path) -> None:
    pinned: dict[str, Any] = {"hub": hub, "version": f"2.6.0_2.4_{TIME}"}
    model = wellread.pretrained("tiny", **pinned)
    shutil.rmtree(hub / "index")
    assert wellread.pretrained("tiny", **pinned).path == pickle.loads(pickle.dumps(model)).path == model.path
    for load in (wellread.pretrained, wellread.fetch):
        with pytest.raises(NotFound):
            load("tiny", **pinned, refresh=True)


def test_a_damaged_folder_or_zip_is_not_opened(make: Make, tmp_path: Path) -> None:
    sample = make()
    with zipfile.ZipFile(sample.zip) as archive:
        archive.extractall(tmp_path / "unzipped")
    flip(tmp_path / "unzipped/onnx/model.onnx", 3000)
    with pytest.raises(IntegrityError, match=r"onnx/model\.onnx is missing or differs"):
        wellread.open(tmp_path / "unzipped")
    flip(sample.zip, sample.zip.read_bytes().index((sample.folder / "vocab.txt").read_bytes()) + 3)
    with pytest.raises(IntegrityError, match=r"vocab\.txt differs from the manifest"):
        wellread.open(sample.zip)


def test_a_folder_whose_manifest_was_altered_is_not_opened(make: Make, tmp_path: Path) -> None:
    with zipfile.ZipFile(make().zip) as archive:
        archive.extractall(tmp_path / "unzipped")
    manifest = tmp_path / "unzipped/manifest.json"
    altered = manifest.read_text(encoding="utf-8").replace('"pooling": "mean"', '"pooling": "cls"')
    assert altered != manifest.read_text(encoding="utf-8")
    manifest.write_text(altered, encoding="utf-8")
    with pytest.raises(IntegrityError, match="misses a golden"):
        wellread.open(tmp_path / "unzipped")


def test_a_form_that_is_not_run_here_is_not_fetched(hub: Path, home: Path) -> None:
    with pytest.raises(BadInput):
        wellread.pretrained("tiny", hub=hub, form="torch")
    assert not (home / "cache/models").exists()


@pytest.mark.parametrize(
    "argument", ["name", "lang", "hub", "form", "version", "folder", "offline", "refresh", "lock", "trust"]
)
@pytest.mark.parametrize("value", [3, 2.6, (2, 6), ["a"], b"a", {"a": 1}, "a\0b", "\ud800"], ids=repr)
def test_an_argument_of_another_kind_is_refused_by_its_name(hub: Path, argument: str, value: object) -> None:
    given: dict[str, Any] = {"name": "tiny", "hub": hub, argument: value}
    with pytest.raises(BadInput, match=rf"^{argument}=.*: give "):
        wellread.pretrained(**given)
    with pytest.raises(BadInput, match=rf"^{argument}=.*: give "):
        wellread.fetch(**given)


@pytest.mark.parametrize("argument", ["name", "lang", "form", "folder", "refresh", "verify"])
def test_what_cannot_be_left_out_is_not_none(hub: Path, argument: str) -> None:
    given: dict[str, Any] = {"name": "tiny", "hub": hub, argument: None}
    with pytest.raises(BadInput, match=f"^{argument}=None is of type NoneType: give "):
        wellread.fetch(**given)


def test_a_path_is_no_name(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"give the name of a model.*; wellread\.open takes a path"):
        wellread.pretrained(tmp_path)  # type: ignore[arg-type]


@pytest.mark.parametrize("path", [None, 3, b"a.zip", ["a.zip"], "a\0b", "\ud800"], ids=repr)
def test_open_takes_paths_only(path: Any) -> None:
    with pytest.raises(BadInput, match=r"^path=.*: give the path of an artifact"):
        wellread.open(path)


@pytest.mark.parametrize(
    ("asked", "error", "said"),
    [
        ({"form": "torch"}, BadInput, "wellread.fetch(…, form='torch') returns with the library it is for"),
        ({"form": "int8"}, NotFound, "Did you mean 'onnx-int8'?"),
        ({"form": "onnx-fp16"}, NotFound, "Available: onnx, onnx-int8, torch. Run here: onnx, onnx-int8"),
        ({"form": "all"}, NotFound, "tiny (en) has no form 'all'."),
        ({"lock": "absent.lock"}, NotFound, "there is no lock file absent.lock: write it with 'wellread lock"),
        ({"trust": "enforce"}, TrustError, "no key is trusted for this hub yet"),
        ({"trust": "maybe"}, BadInput, "one of off, warn, enforce"),
        ({"device": "gpu"}, BadInput, "'cpu', 'cuda' or a card by its number"),
        ({"verify": "none"}, BadInput, "give 'stat'"),
        ({"version": "newest"}, BadInput, "nor a range"),
        ({"version": "9.9"}, NotFound, "no release '9.9'. Available: 2.6.0_2.4_"),
        ({"folder": "../x"}, BadInput, "not a folder of a hub"),
        ({"lang": "fr"}, NotFound, "not in language 'fr'. Available: en"),
        ({"lang": "English"}, BadInput, "not a language code"),
        ({"name": "../tiny"}, BadInput, "not a model name"),
        ({"hub": "ftp://example.org/hub"}, BadInput, "ftp:// is not a kind of hub"),
    ],
)
def test_what_cannot_be_had_is_explained(hub: Path, asked: dict[str, Any], error: type[Exception], said: str) -> None:
    tiny: dict[str, Any] = {"name": "tiny", "hub": hub}
    with pytest.raises(error) as caught:
        wellread.pretrained(**(tiny | asked))
    assert said in str(caught.value)


@pytest.mark.parametrize("path", ["absent.zip", ".", "a" * 300, "~nobody-of-that-name/x"])
def test_what_is_no_model_is_not_opened(tmp_path: Path, path: str) -> None:
    with pytest.raises(
        BadInput, match=r"is not a file; an artifact is|holds no manifest\.json|cannot be read: File na"
    ):
        wellread.open(tmp_path / path)


# ---------------------------------------------------------------- a name that is nowhere


@pytest.fixture
def recipes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "recipes/en").mkdir(parents=True)
    (tmp_path / "recipes/en/small_bert_L8_512.yaml").touch()
    monkeypatch.setattr(loader, "RECIPES", tmp_path / "recipes")


def _said(*arguments: Any, **options: Any) -> str:
    with pytest.raises(NotFound) as caught:
        wellread.pretrained(*arguments, **options)
    return str(caught.value)


@pytest.mark.usefixtures("recipes")
def test_a_built_in_recipe_says_how_to_build_it(home: Path) -> None:
    assert _said("small_bert_L8_512", "en") == (
        f"small_bert_L8_512 (en): not in {home / 'hub'} (0 releases). It is a built-in recipe: wellread build "
        "small_bert_L8_512 (needs pip install 'wellread[press]'), or set WELLREAD_HUB to a hub that has it."
    )


@pytest.mark.usefixtures("recipes")
def test_any_other_name_is_told_near_misses(hub: Path) -> None:
    assert _said("tinny", hub=hub) == (f"tinny (en): not in {hub} (1 release). Did you mean 'tiny'? Give another hub.")


def test_where_no_hub_was_given_one_is_to_be_set(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WELLREAD_HUB", str(hub))
    assert _said("something").endswith("(1 release). Set WELLREAD_HUB to a hub that has it.")


@pytest.mark.parametrize(
    ("fields", "asked", "said"),
    [
        ({}, {"version": "3.0"}, "no release '3.0'. Available: 2.6.0_2.4_1598344705269"),
        ({}, {"lang": "de"}, "not in language 'de'. Available: en"),
        ({"state": "yanked", "why": "a hole"}, {}, 'It is still had by its id: --version ID, or version="ID"'),
    ],
)
@pytest.mark.usefixtures("recipes")
def test_a_name_that_is_there_in_another_release_is_neither_to_be_built_nor_sought(
    make: Make,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fields: dict[str, str],
    asked: dict[str, str],
    said: str,
) -> None:
    sample = make(name="small_bert_L8_512")
    release = msgspec.structs.replace(release_line(sample.manifest, sample.packed, "public/models"), **fields)
    add_release(open_store(tmp_path / "hub"), release)
    monkeypatch.setenv("WELLREAD_HUB", str(tmp_path / "hub"))
    assert _said("small_bert_L8_512", **asked).endswith(said)


def test_where_nobody_answers_the_cache_is_named_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wellread.registry.retry._FIRST", 0.0)
    nobody = "http://127.0.0.1:9/x"
    for hub, lines in ((nobody, 1), (f"{nobody},http://127.0.0.1:9/y", 2)):
        for load in (wellread.pretrained, wellread.fetch):
            with pytest.raises(HubUnavailable, match="is the server up") as caught:
                load("tiny", hub=hub)
            *places, last = str(caught.value).splitlines()
            assert (len(places), last) == (lines, "WELLREAD_OFFLINE=1 takes what is in the cache")
            assert "WELLREAD_OFFLINE" not in "".join(places)
            assert caught.value.__cause__


@pytest.mark.usefixtures("recipes")
def test_a_built_in_recipe_is_not_taken_for_a_mistyped_name(make: Make, tmp_path: Path) -> None:
    sample = make(name="small_bert_L8_513")
    publish(sample.zip, sample.proof, tmp_path / "hub")
    built = _said("small_bert_L8_512", hub=tmp_path / "hub")
    assert "Did you mean" not in built and built.endswith(", or give another hub.")
    assert "Did you mean 'small_bert_L8_513'?" in _said("small_bert_L8_51", hub=tmp_path / "hub")


@pytest.mark.usefixtures("recipes")
def test_offline_says_what_the_cache_holds_and_how_to_fill_it(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = hub.with_name("elsewhere")
    elsewhere.mkdir()
    expected = (
        f"small_bert_L8_512 (en): not in {elsewhere} (0 releases), nor in the cache, and offline. "
        "The cache holds: {}. Fetch it where there is a network (wellread fetch small_bert_L8_512) "
        "or give another hub."
    )
    assert _said("small_bert_L8_512", hub=elsewhere, offline=True) == expected.format("nothing")
    wellread.fetch("tiny", hub=hub)
    monkeypatch.setenv("WELLREAD_OFFLINE", "1")
    assert _said("small_bert_L8_512", hub=elsewhere) == expected.format("tiny (en)")


def test_offline_the_cache_serves_when_the_hub_is_gone(hub: Path) -> None:
    model = wellread.pretrained("tiny", hub=hub)
    shutil.rmtree(hub)
    with pytest.raises(NotFound):
        wellread.pretrained("tiny", hub=hub)
    for asked in (hub, "https://example.org/hub", f"s3://bucket/hub,{hub}"):
        assert wellread.pretrained("tiny", hub=asked, offline=True).path == model.path
    again = pickle.loads(pickle.dumps(wellread.pretrained("tiny", hub=hub, offline=True)))
    assert again.path == model.path


def test_the_one_liner_runs_in_a_bare_process_and_brings_nothing_heavy(hub: Path) -> None:
    line = (
        "import sys; from wellread import pretrained;"
        "print(pretrained('tiny', 'en', hub={!r}).encode(['I love NLP']).shape);"
        "print({{'tensorflow', 'torch', 'onnx', 'transformers', 'pandas', 'requests', 'yaml'}} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", line.format(str(hub))], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["(1, 32)", "set()"]
    assert done.stderr == ""


def test_a_warm_load_imports_nothing_that_only_a_cold_one_needs(hub: Path) -> None:
    wellread.fetch("tiny", hub=hub)
    line = f"from wellread import pretrained; pretrained('tiny', hub={str(hub)!r}).encode('I love NLP')"
    idle = {
        "filelock",
        "requests",
        "cryptography",
        "zipfile",
        "packaging",
        "tempfile",
        "tqdm",
        "logging",
        "subprocess",
        "http",
        "ssl",
    }
    script = f"import sys; {line}; print(sorted({idle!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_model_from_a_web_server_pickles_as_its_release_and_asks_nobody(hub: Path) -> None:
    with listening(hub) as server:
        model = wellread.pretrained("tiny", hub=server.url)
        assert server.taken()
        age(DAY)
        assert pickle.loads(pickle.dumps(model)).path == model.path
        assert server.taken() == []


def test_a_lock_gives_the_same_model_for_ever(hub: Path, make: Make, tmp_path: Path) -> None:
    lock = tmp_path / "wellread.lock"
    _, release = resolve.find(ModelName("tiny"), Lang("en"), hub=hub)
    write_lock(lock, add(Lock(), [lock_release(release, str(hub))]))
    newer = make("newer", time=TIME + 1)
    publish(newer.zip, newer.proof, hub)
    assert wellread.pretrained("tiny", hub=hub).manifest.time == TIME + 1
    model = wellread.pretrained("tiny", lock=lock)
    assert (model.manifest.time, pickle.loads(pickle.dumps(model)).path) == (TIME, model.path)
    with pytest.raises(NotFound, match=r"tiny \(fr\) is not in .* To add it: wellread lock tiny --lang fr$"):
        wellread.pretrained("tiny", "fr", lock=lock)
