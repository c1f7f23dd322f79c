"""Passwords, tokens and private keys stand in no message, no traceback, no file that wellread writes."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

import wellread
from tests.fixtures.command import Command
from tests.fixtures.web_server import Answer, serving
from tests.security.hostile import line_file, make_hub
from wellread.errors import WellreadError
from wellread.registry.hub.index import index_key
from wellread.registry.names import ModelName
from wellread.registry.retry import open_hub
from wellread.registry.stores import open_store
from wellread.registry.trust import policy
from wellread.registry.trust.keys import new_key

SECRET = "s3cr3t-p4ss"


def _said(operation: Callable[[], object]) -> str:
    """All that Python would print about the error, the chain of its causes too."""
    with pytest.raises(WellreadError) as caught:
        operation()
    return "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "url",
    [
        f"ftp://me:{SECRET}@models.example.org/hub",
        f"s3://me:{SECRET}@bucket/hub",
        f"https://me:{SECRET}@models.example.org:port/hub",
        f"https://me:{SECRET}@models.example.org/hub?sig={SECRET}",
    ],
)
def test_an_address_that_cannot_be_is_refused_without_its_password(url: str) -> None:
    for use in (lambda: open_store(url), lambda: open_hub(url), lambda: wellread.fetch("tiny", hub=url)):
        assert SECRET not in _said(use)


def test_a_hub_with_a_password_leaves_it_in_no_file_and_no_log(
    tmp_path: Path, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    make_hub(tmp_path / "hub", [new_key()[0]])
    line = Answer(line_file(tmp_path / "hub").read_bytes(), headers={"ETag": '"1"'})
    with serving({f"/{index_key(ModelName('tiny'))}": line}) as server:
        address = server.url.replace("http://", f"http://me:{SECRET}@")
        assert SECRET not in open_hub(address).url
        assert SECRET not in _said(lambda: wellread.fetch("tiny", hub=address))
        policy.set_policy(address, "warn")
    written = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert server.url.encode() in written
    assert SECRET.encode() not in written
    assert SECRET not in caplog.text


def test_the_private_part_of_a_key_is_never_shown(
    home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    command = Command(monkeypatch, capfd)
    shown = [command("keys", "new"), command("keys", "list"), command("keys", "list", "--json"), command("keys", "new")]
    secret = (home / "keys/default.pem").read_text().splitlines()[1]
    monkeypatch.setenv("WELLREAD_KEY", secret)
    shown.append(command("keys", "list"))
    assert [each.code for each in shown] == [0, 0, 0, 1, 1]
    assert not [each for each in shown if secret in each.out + each.err]
