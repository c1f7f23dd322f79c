"""form="fastest" takes int8 where the processor is made for it and the form is proved, and tells why."""

from __future__ import annotations

from pathlib import Path

import pytest

from wellread.errors import IntegrityError, NotFound
from wellread.runtime import fastest as module
from wellread.runtime.device import parse_device
from wellread.runtime.fastest import Choice, choose, fastest, int8_instruction, named

BOTH = ("onnx", "onnx-int8", "torch")
CPU = parse_device("cpu")
X86 = "processor\t: 0\nflags\t\t: fpu sse2 avx2 {}\nbugs\t\t: spectre_v1\n\nprocessor\t: 1\n"
ARM = "processor\t: 0\nFeatures\t: fp asimd {}\nCPU part\t: 0xd0c\n"


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the system tells of the processor; nothing as yet."""
    path = tmp_path / "cpuinfo"
    monkeypatch.setattr(module, "_CPUINFO", path)
    return path


@pytest.mark.parametrize(
    ("text", "instruction"),
    [
        (X86.format("avx512f avx512_vnni"), "AVX-512 VNNI"),
        (X86.format("avx_vnni"), "AVX VNNI"),
        (X86.format("avx512f"), None),
        (X86.format("not_avx_vnni"), None),
        (ARM.format("asimddp"), "the ARM dot product"),
        (ARM.format("asimdhp"), None),
        ("model name\t: avx_vnni\n", None),
        ("", None),
    ],
)
def test_linux_tells_what_a_processor_has(told: Path, text: str, instruction: str | None) -> None:
    told.write_text(text)
    assert int8_instruction() == instruction
    assert choose(BOTH, CPU).form == ("onnx-int8" if instruction else "onnx")


@pytest.mark.parametrize(
    ("features", "instruction"),
    [
        ({"AVX512_CLX": True}, "AVX-512 VNNI"),
        ({"ASIMDDP": True, "AVX512VNNI": False}, "the ARM dot product"),
        ({"AVX2": True}, None),
    ],
)
def test_elsewhere_numpy_tells(
    told: Path, monkeypatch: pytest.MonkeyPatch, features: dict[str, bool], instruction: str | None
) -> None:
    assert not told.exists()
    core = pytest.importorskip("numpy._core._multiarray_umath")
    monkeypatch.setattr(core, "__cpu_features__", features)
    assert int8_instruction() == instruction


def test_a_numpy_that_does_not_tell_is_no_reason_to_fail(told: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> object:
        raise ImportError(name)

    monkeypatch.setattr("wellread.runtime.fastest.importlib.import_module", absent)
    assert int8_instruction() is None and not told.exists()


def test_what_was_chosen_and_why(told: Path) -> None:
    told.write_text(X86.format("avx512_vnni"))
    assert choose(BOTH, CPU).why == "fastest: this processor has AVX-512 VNNI, and the form hits its goldens here"
    assert choose(("onnx",), CPU) == ("onnx", "fastest: the release has no onnx-int8")
    assert choose(BOTH, parse_device("cuda")) == ("onnx", "fastest: cuda:0 runs fp32")
    told.write_text(X86.format("sse4_2"))
    assert choose(BOTH, CPU).why.startswith("fastest: this processor has no instructions for int8 (VNNI)")


def test_a_form_that_was_not_chosen_says_so() -> None:
    assert named("onnx").why == "what auto stands for, on every machine"
    assert named("onnx-int8").why == "asked for by name"


def test_int8_that_is_not_proved_gives_way_to_fp32(told: Path) -> None:
    told.write_text(X86.format("avx512_vnni"))
    brought: list[str] = []

    def bring(form: str) -> str:
        brought.append(form)
        if form == "onnx-int8":
            raise IntegrityError("form 'onnx-int8' misses a golden\nDelete it")
        return form

    found = fastest(BOTH, CPU, bring)
    why = "fastest: onnx-int8 is not to be used here: form 'onnx-int8' misses a golden"
    assert (found, brought) == (("onnx", Choice("onnx", why)), ["onnx-int8", "onnx"])


def test_other_failures_are_nobodys_reason_to_take_fp32(told: Path) -> None:
    told.write_text(X86.format("avx512_vnni"))

    def bring(form: str) -> str:
        raise NotFound(form)

    with pytest.raises(NotFound, match="onnx-int8"):
        fastest(BOTH, CPU, bring)
