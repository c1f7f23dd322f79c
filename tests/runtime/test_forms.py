"""Which forms run here, and what is said about the others."""

from __future__ import annotations

import pytest

from wellread.errors import BadInput, NotFound
from wellread.runtime.forms import check_runnable, runs_here

KNOWN = ("torch", "onnx", "onnx-int8", "tf")


def test_onnx_in_every_precision_runs_here() -> None:
    assert [form for form in KNOWN if runs_here(form)] == ["onnx", "onnx-int8"]
    check_runnable("onnx-int8", KNOWN, "tiny (en)")


@pytest.mark.parametrize(("asked", "meant"), [("int8", "onnx-int8"), ("onx", "onnx"), ("fast", "fastest")])
def test_a_form_that_is_not_there_is_told_near_misses(asked: str, meant: str) -> None:
    with pytest.raises(NotFound) as raised:
        check_runnable(asked, KNOWN, "tiny (en)")
    assert f"tiny (en) has no form {asked!r}. Did you mean {meant!r}" in str(raised.value)
    assert "Available: onnx, onnx-int8, tf, torch. Run here: onnx, onnx-int8" in str(raised.value)


def test_a_form_for_other_libraries_is_had_by_fetch() -> None:
    with pytest.raises(BadInput) as raised:
        check_runnable("torch", KNOWN, "tiny (en)")
    assert "wellread.fetch(…, form='torch')" in str(raised.value)
    with pytest.raises(BadInput, match="Run here: none"):
        check_runnable("torch", ["torch"], "tiny (en)")
