"""What all forms share, as transformers reads it."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.converters.parity.test_reference import weights
from wellread.converters.forms.kinds import write_forms

pytestmark = pytest.mark.press


@pytest.mark.parametrize(("given", "length"), [(20, 20), (None, 64)])
def test_the_tokenizer_cuts_where_the_recipe_says(tmp_path: Path, given: int | None, length: int) -> None:
    from transformers import AutoTokenizer

    write_forms(tmp_path, weights(), ["torch"], "mean", given)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    assert len(tokenizer("hello " * 100, truncation=True)["input_ids"]) == length


def test_the_padding_is_the_vocabularys(tmp_path: Path) -> None:
    first, *rest = weights().vocabulary.split(b"\n")
    moved = dataclasses.replace(weights(), vocabulary=b"\n".join([*rest[:2], first, *rest[2:]]))
    write_forms(tmp_path, moved, ["torch"], "mean")
    assert json.loads((tmp_path / "config.json").read_text())["pad_token_id"] == 2


@pytest.mark.parametrize("pooling", ["mean", "pooler"])
def test_a_full_disk_is_said_in_a_message(tmp_path: Path, pooling: str) -> None:
    """A limit on the size of a file stands for the disk; the pooler's own file is the smaller one."""
    room = 3000 if pooling == "pooler" else 50_000
    script = (
        "import resource, signal, sys, pathlib; from unittest import mock\n"
        "from tests.converters.parity.test_reference import weights; from wellread.converters.forms import kinds\n"
        "from wellread.errors import WellreadError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "try:\n"
        "    kinds.torch_form.write_config, kinds.write_tokenizer = mock.Mock(), mock.Mock()\n"
        f"    resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}))\n"
        f"    kinds.write_forms(pathlib.Path(sys.argv[1]), weights(), ['torch'], {pooling!r})\n"
        "except WellreadError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=False)
    file = "2_Dense/model.safetensors" if pooling == "pooler" else "model.safetensors"
    assert done.stdout.startswith(f"cannot write {tmp_path / file}: "), done.stderr
