"""Where a model computes. No graphics card is needed: what onnxruntime does where one is missing is what is tried."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wellread.errors import BadInput, IntegrityError, MissingExtra, WellreadError
from wellread.registry.records import Manifest
from wellread.runtime.device import batch_positions, parse_device
from wellread.runtime.model import Model
from wellread.runtime.session import Session, onnxruntime, require

pytestmark = pytest.mark.press


@pytest.fixture
def onnx(folder: Path) -> Path:
    return folder / "onnx/model.onnx"


class Card:
    """An onnxruntime that lists CUDA: opens on the processor, and says that it has used ``used``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, used: str) -> None:
        self.asked: list[dict[str, Any]] = []
        self._open, self._used = onnxruntime().InferenceSession, used
        monkeypatch.setattr(onnxruntime(), "get_available_providers", lambda: ["CUDAExecutionProvider"])
        monkeypatch.setattr(onnxruntime(), "preload_dlls", lambda: None)
        monkeypatch.setattr(onnxruntime(), "InferenceSession", self)

    def __call__(self, path: str, options: Any, **how: Any) -> Any:
        self.asked.append(how)
        session = self._open(path, options, providers=["CPUExecutionProvider"])
        session.get_providers = lambda: [self._used, "CPUExecutionProvider"]
        return session


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Iterator[Card]:
    yield Card(monkeypatch, "CUDAExecutionProvider")


@pytest.mark.parametrize(
    ("text", "shown"), [("cpu", "cpu"), ("cuda", "cuda:0"), ("cuda:0", "cuda:0"), ("cuda:12", "cuda:12")]
)
def test_a_device_is_read(text: str, shown: str) -> None:
    assert str(parse_device(text)) == shown and parse_device(shown) == parse_device(text)


@pytest.mark.parametrize("text", ["", "gpu", "CUDA", "cuda:", "cuda:-1", "cuda:01", "cpu:0", "cuda:1\n", "cuda:1000"])
def test_what_is_no_device_is_refused(onnx: Path, text: str) -> None:
    with pytest.raises(BadInput, match="'cpu', 'cuda' or a card by its number"):
        Session(onnx, device=text)


def test_a_batch_grows_with_the_threads_up_to_a_bound() -> None:
    cpu = parse_device("cpu")
    assert [batch_positions(cpu, threads) for threads in (1, 2, 4, 16, 64)] == [512, 512, 1024, 4096, 4096]
    assert batch_positions(parse_device("cuda"), 1) > 4096


@pytest.mark.filterwarnings("error")
def test_without_cuda_the_error_says_what_to_install(onnx: Path, folder: Path, manifest: Manifest) -> None:
    if "CUDAExecutionProvider" in onnxruntime().get_available_providers():
        pytest.skip("this onnxruntime has CUDA")
    for attempt in (
        lambda: require(parse_device("cuda")),
        Session(onnx, device="cuda:1").open,
        lambda: Model(folder, manifest, "onnx", device="cuda"),
    ):
        with pytest.raises(MissingExtra, match=r"knows no graphics card.\n.*onnxruntime-gpu\[cuda,cudnn\]"):
            attempt()


def test_a_card_is_asked_for_without_tf32_and_without_falling_back(onnx: Path, card: Card) -> None:
    Session(onnx, device="cuda:1").open()
    wanted = [("CUDAExecutionProvider", {"device_id": 1, "use_tf32": 0}), "CPUExecutionProvider"]
    assert card.asked == [{"providers": wanted, "enable_fallback": False}]


def test_the_processor_in_place_of_the_card_is_an_error(onnx: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Card(monkeypatch, "CPUExecutionProvider")
    with pytest.raises(MissingExtra, match=r"'cuda:0': onnxruntime cannot use it\. .*\n"):
        Session(onnx, device="cuda").open()


def test_a_card_that_fails_is_not_called_damage(onnx: Path, card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **how: object) -> None:
        raise RuntimeError("CUDA failure 2: out of memory")

    monkeypatch.setattr(onnxruntime(), "InferenceSession", fails)
    with pytest.raises(
        WellreadError, match=r"cannot be opened on cuda:0: .* out of memory\nLeave device out"
    ) as caught:
        Session(onnx, device="cuda").open()
    assert not isinstance(caught.value, IntegrityError) and not card.asked


def test_a_model_on_a_card_says_so_and_computes_the_same(folder: Path, manifest: Manifest, card: Card) -> None:
    on_card = Model(folder, manifest, "onnx", threads=1, device="cuda:1")
    told = on_card.info()
    assert (told["device"], told["batch"]) == ("cuda:1", 16384) and len(card.asked) == 1
    again = on_card.__reduce__()[1]
    assert again[2] == {"threads": 1, "device": "cuda:1"}
    here = Model(folder, manifest, "onnx", threads=1)
    np.testing.assert_allclose(on_card.encode(["rain", "a dog"]), here.encode(["rain", "a dog"]), atol=1e-6)
