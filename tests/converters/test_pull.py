"""Pulling, whatever the kind of source: pins, what is kept, fallbacks, refusals."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.converters.test_archive import contents
from tests.fixtures.pulling import MODULE, PINS, kept, pulled, reject, write
from tests.fixtures.web_server import Server
from wellread.converters.pull import Pulled, pull
from wellread.converters.sources import Source, parse_source
from wellread.errors import BadInput, CorruptSource, ParityError, SourceUnavailable, UnsupportedModel


def test_a_file_that_differs_from_its_pin_is_named(web: Server, work: Path) -> None:
    pins = PINS | {"saved_model.pb": "0" * 64, "vocab.txt": "1" * 64}
    with pytest.raises(CorruptSource, match=r"saved_model.pb has sha256 .*; vocab.txt is missing"):
        pulled(f"{web.url}/m.zip", work, files=pins)
    assert kept(work) == [], "what is wrong is not kept for the next time"


def test_a_kept_tree_that_was_changed_is_pulled_again(web: Server, work: Path) -> None:
    folder = pulled(f"{web.url}/m.zip", work, files=PINS).folder
    (folder / "saved_model.pb").write_bytes(b"grapf")
    with pytest.raises(CorruptSource, match="saved_model"):
        pulled(f"{web.url}/m.zip", work, files=PINS)
    assert contents(pulled(f"{web.url}/m.zip", work, files=PINS).folder) == MODULE


def test_what_turns_out_corrupt_when_it_is_read_is_pulled_again(web: Server, work: Path) -> None:
    source = Source(kind="archive", location=f"{web.url}/m.zip", files=PINS)
    pull([source], work)
    with pytest.raises(CorruptSource, match=r"^crc32c is wrong$"):
        pull([source], work, accept=reject)
    assert kept(work) == []
    assert contents(pull([source], work).folder) == MODULE


def test_the_users_own_folder_is_never_thrown_away(tmp_path: Path, work: Path) -> None:
    folder = write(tmp_path / "module", MODULE)
    with pytest.raises(CorruptSource):
        pulled(str(folder), work, files={"saved_model.pb": "0" * 64})
    with pytest.raises(CorruptSource, match=r"^crc32c is wrong$"):
        pull([parse_source(str(folder))], work, accept=reject)
    assert contents(folder) == MODULE


def test_the_next_source_is_tried_and_the_last_resort_is_named(web: Server, work: Path) -> None:
    texts = [f"{web.url}/gone.zip", f"{web.url}/evil.tar", f"{web.url}/m.zip"]
    lines: list[str] = []
    found = pull([parse_source(text) for text in texts], work, lines.append)
    assert found.location == texts[2]
    assert contents(found.folder) == MODULE
    assert any(line.startswith(f"{texts[0]}: the server answered 404") for line in lines)


def test_when_all_fail_each_is_named_with_its_reason(web: Server, work: Path) -> None:
    texts = [f"{web.url}/gone.zip", f"{web.url}/evil.tar", "nowhere"]
    with pytest.raises(SourceUnavailable) as caught:
        pull([parse_source(text) for text in texts], work)
    first, *reasons, hint = str(caught.value).splitlines()
    assert first == "none of the sources was accepted:"
    assert [line.strip().startswith(f"{text}: ") for line, text in zip(reasons, texts, strict=True)] == [True] * 3
    assert "--source PATH" in hint
    assert kept(work) == []


def test_when_none_can_be_had_that_is_what_is_said(web: Server, work: Path) -> None:
    with pytest.raises(
        SourceUnavailable, match=r"^no source could be had:\n  .*gone.zip: .* 404\n  nowhere: .*\nif you"
    ):
        pull([parse_source(f"{web.url}/gone.zip"), parse_source("nowhere")], work)


def test_nothing_of_a_long_reason_is_lost(web: Server, work: Path) -> None:
    def accept(pulled: Pulled) -> None:
        raise BadInput("it does not say:\nheads\nactivation")

    with pytest.raises(SourceUnavailable) as caught:
        pull([parse_source(f"{web.url}/m.zip"), parse_source("nowhere")], work, accept=accept)
    assert f"  {web.url}/m.zip: it does not say:\n    heads\n    activation\n  nowhere: " in str(caught.value)


def test_a_source_on_this_machine_speaks_for_itself(tmp_path: Path, work: Path) -> None:
    """No other place is asked for: this one was typed."""
    (tmp_path / "file.bin").write_bytes(b"x")
    for place in (tmp_path / "file.bin", tmp_path / "none", tmp_path / "none.zip"):
        with pytest.raises(SourceUnavailable) as caught:
            pulled(str(place), work)
        assert str(caught.value).startswith(("the file ", "the folder "))
        assert "--source" not in str(caught.value)


def test_a_file_that_may_not_be_read_is_a_reason_like_any_other(web: Server, tmp_path: Path, work: Path) -> None:
    closed = write(tmp_path / "closed", MODULE)

    def accept(pulled: Pulled) -> None:
        if pulled.folder == closed:
            raise PermissionError(13, "Permission denied", str(closed / "saved_model.pb"))

    found = pull([parse_source(str(closed)), parse_source(f"{web.url}/m.zip")], work, accept=accept)
    assert found.location == f"{web.url}/m.zip"
    with pytest.raises(SourceUnavailable, match=r"saved_model\.pb cannot be read: Permission denied"):
        pull([parse_source(str(closed))], work, accept=accept)


@pytest.mark.parametrize(
    "refusal", [UnsupportedModel("not BERT"), ParityError("the goldens do not pass"), BadInput("it has no heads")]
)
def test_a_source_that_is_not_accepted_is_passed_over(web: Server, work: Path, refusal: Exception) -> None:
    texts = [f"{web.url}/m.zip", f"{web.url}/m.tar.gz"]

    def accept(pulled: Pulled) -> None:
        assert contents(pulled.folder) == MODULE
        if pulled.location == texts[0]:
            raise refusal

    found = pull([parse_source(text) for text in texts], work, accept=accept)
    assert found.location == texts[1]


def test_no_source_at_all(work: Path) -> None:
    with pytest.raises(SourceUnavailable, match="names no source"):
        pull([], work)


def test_pulling_imports_no_tensorflow(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from wellread.converters.pull import pull; from wellread.converters.sources import parse_source\n"
        "try: pull([parse_source('tfhub:http://127.0.0.1:9/x/1')], Path(sys.argv[1]))\n"
        "except Exception as error: print(error)\n"
        "print(sorted({'tensorflow', 'torch', 'kagglehub', 'huggingface_hub'} & set(sys.modules)))\n"
    )
    finished = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert re.search(r"refused", finished.stdout)
    assert finished.stdout.splitlines()[-1] == "[]"
