"""``wellread serve``: it says where it is, serves until Ctrl-C, and says why it cannot."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from tests.fixtures.command import Command
from wellread.registry.stores import open_store, read


def start(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "wellread.cli", "serve", "--port", "0", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def first_lines(running: subprocess.Popen[str], count: int = 1) -> str:
    assert running.stdout
    return "".join(running.stdout.readline() for _ in range(count))


def test_it_serves_until_it_is_interrupted(tmp_path: Path) -> None:
    open_store(tmp_path / "hub").put_new("hub.json", b"{}")
    with start("--hub", tmp_path / "hub") as running:
        said = first_lines(running)
        url = said.split()[0]
        assert said == f"{url} serves {tmp_path / 'hub'}; Ctrl-C ends it\n"
        found = read(open_store(url), "hub.json")
        assert found and found[0] == b"{}"
        running.send_signal(signal.SIGINT)
        assert running.communicate() == ("", "")
    assert running.returncode == 0


def test_json_gives_the_address_of_the_users_own_hub(tmp_path: Path, home: Path) -> None:
    (home / "hub").mkdir()
    with start("--json") as running:
        url = json.loads(first_lines(running, 3))["url"]
        assert open_store(url).head("hub.json") is None
        running.send_signal(signal.SIGINT)
        assert running.communicate() == ("", "")
    assert running.returncode == 0


def test_what_cannot_be_served_is_explained(command: Command, tmp_path: Path) -> None:
    missing = command("serve", "--hub", tmp_path / "absent")
    assert (missing.code, missing.out) == (1, "")
    assert "there is no folder" in missing.err and "absent" in missing.err
    two = command("serve", "--hub", f"{tmp_path},http://me:secret@127.0.0.1:9/x/")
    assert two.code == 1 and f"one hub can be served, and 2 are named ({tmp_path}, http://127.0.0.1:9/x)" in two.err
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = command("serve", "--hub", tmp_path, "--port", port)
    assert refused.code == 1 and f"cannot listen at 127.0.0.1:{port}: {os.strerror(98)}" in refused.err
    assert command("serve", "--hub", tmp_path, "--port", "99999").code == 2
