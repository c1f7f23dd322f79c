"""The consumer's door and the machine behind it: the fastest form, the device, the threads."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wellread
from tests.fixtures.running import TEXTS, running_files
from tests.fixtures.tiny import tiny_architecture
from tests.registry.samples import FORMS, Sample, make_sample
from wellread.errors import BadInput, IntegrityError, MissingExtra
from wellread.registry.hub.publish import publish
from wellread.runtime import fastest, goldens
from wellread.runtime.model import Model
from wellread.runtime.session import onnxruntime

pytestmark = pytest.mark.press


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return running_files(tmp_path_factory.mktemp("members"))


@pytest.fixture
def sample(tmp_path: Path, members: dict[str, bytes]) -> Sample:
    return make_sample(tmp_path / "pressed", members, architecture=tiny_architecture(), forms=dict(FORMS))


@pytest.fixture
def hub(sample: Sample, tmp_path: Path) -> Path:
    publish(sample.zip, sample.proof, tmp_path / "hub")
    return tmp_path / "hub"


@pytest.fixture
def doors(hub: Path, sample: Sample, tmp_path: Path) -> tuple[Callable[..., Model], ...]:
    """The three ways to a model: by its name, from a zip, from a folder."""
    with zipfile.ZipFile(sample.zip) as archive:
        archive.extractall(tmp_path / "unzipped")
    return (
        lambda **how: wellread.pretrained("tiny", hub=hub, **how),
        lambda **how: wellread.open(sample.zip, **how),
        lambda **how: wellread.open(tmp_path / "unzipped", **how),
    )


def processor(monkeypatch: pytest.MonkeyPatch, instruction: str | None) -> None:
    """A processor that has ``instruction`` for int8."""
    monkeypatch.setattr(fastest, "int8_instruction", lambda: instruction)


def int8_misses(monkeypatch: pytest.MonkeyPatch) -> None:
    def replay(folder: Path, manifest: Any, form: str, device: str = "cpu") -> None:
        if form == "onnx-int8":
            raise IntegrityError("form 'onnx-int8' misses a golden\nand so on")

    monkeypatch.setattr(goldens, "replay", replay)


def test_fastest_is_int8_where_the_processor_is_made_for_it(
    doors: tuple[Callable[..., Model], ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    processor(monkeypatch, "AVX-512 VNNI")
    for door in doors:
        told = door(form="fastest").info()
        assert (told["form"], told["precision"]) == ("onnx-int8", "int8")
        assert told["why"] == "fastest: this processor has AVX-512 VNNI, and the form hits its goldens here"


def test_fastest_is_fp32_elsewhere(doors: tuple[Callable[..., Model], ...], monkeypatch: pytest.MonkeyPatch) -> None:
    processor(monkeypatch, None)
    for door in doors:
        model = door(form="fastest")
        assert model.form == "onnx" and "no instructions for int8" in model.info()["why"]
        assert not (model.path / ".wellread/forms/onnx-int8.json").exists()


def test_fastest_is_fp32_where_int8_misses_its_goldens(
    doors: tuple[Callable[..., Model], ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    processor(monkeypatch, "AVX VNNI")
    int8_misses(monkeypatch)
    for door in doors:
        for _ in range(2):
            told = door(form="fastest").info()
            assert told["form"] == "onnx" and "not to be used here: form 'onnx-int8' misses a golden" in told["why"]


def test_a_choice_pickles_as_what_was_chosen(
    doors: tuple[Callable[..., Model], ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the machine it goes to, whatever its processor, computes in the same form."""
    processor(monkeypatch, "AVX VNNI")
    models = [door(form="fastest", threads=1) for door in doors]
    processor(monkeypatch, None)
    for model in models:
        again = pickle.loads(pickle.dumps(model))
        assert (again.form, again.info()["why"], again.info()["threads"]) == ("onnx-int8", "asked for by name", 1)


def test_auto_is_fp32_on_every_processor(
    doors: tuple[Callable[..., Model], ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    processor(monkeypatch, "AVX-512 VNNI")
    for door in doors:
        told = door().info()
        assert (told["form"], told["why"]) == ("onnx", "what auto stands for, on every machine")


def test_fetch_takes_no_fastest(hub: Path) -> None:
    with pytest.raises(BadInput, match="name the form to fetch"):
        wellread.fetch("tiny", hub=hub, form="fastest")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"device": "gpu"}, "device='gpu': 'cpu', 'cuda' or a card"),
        ({"device": 1}, "device=1 is of type int: give 'cpu'"),
        ({"threads": 0}, "threads=0: a whole number of at least 1"),
        ({"threads": "2"}, "threads='2' is of type str: give a number of cores"),
    ],
)
def test_a_machine_that_is_none_is_refused(
    doors: tuple[Callable[..., Model], ...], asked: dict[str, Any], said: str
) -> None:
    for door in doors:
        with pytest.raises(BadInput, match=said):
            door(**asked)


def test_without_cuda_nothing_is_fetched(hub: Path, home: Path) -> None:
    if "CUDAExecutionProvider" in onnxruntime().get_available_providers():
        pytest.skip("this onnxruntime has CUDA")
    with pytest.raises(MissingExtra, match="onnxruntime-gpu"):
        wellread.pretrained("tiny", hub=hub, device="cuda")
    assert not list(home.rglob("*.onnx"))


def test_goldens_are_replayed_on_the_card_at_every_load(
    doors: tuple[Callable[..., Model], ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a card that is the processor under another name."""
    opening, used, cards = onnxruntime().InferenceSession, "CUDAExecutionProvider", []

    def on_card(path: str, options: Any, *, providers: list[Any], **how: Any) -> Any:
        session = opening(path, options, providers=["CPUExecutionProvider"])
        if providers != ["CPUExecutionProvider"]:
            cards.append(path)
            session.get_providers = lambda: [used, "CPUExecutionProvider"]
        return session

    monkeypatch.setattr(onnxruntime(), "get_available_providers", lambda: [used])
    monkeypatch.setattr(onnxruntime(), "preload_dlls", lambda: None)
    monkeypatch.setattr(onnxruntime(), "InferenceSession", on_card)
    for door in doors:
        for _ in range(2):
            cards.clear()
            model = door(device="cuda", form="fastest")
            assert (model.form, model.info()["device"], len(cards)) == ("onnx", "cuda:0", 2), (
                "once to prove, once to run"
            )
        assert pickle.loads(pickle.dumps(model)).info()["device"] == "cuda:0"
        np.testing.assert_array_equal(model.encode(list(TEXTS)), door().encode(list(TEXTS)))
