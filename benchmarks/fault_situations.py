"""What goes wrong around a download: in the network, on the disk, among processes.

A situation is a function of a contender's ``Bench``; it gives what came of it, in words.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks import fault_server as faults
from benchmarks.fault_contenders import LIMIT, Bench
from benchmarks.fault_server import Fault

SIZE = 48_000_000
SMALL_DISK = "30m"


def once(fault: Callable[[], Fault]) -> Callable[[Bench], str]:
    """A cold download under a fault, and another without it if that failed."""

    def situation(bench: Bench) -> str:
        bench.server.reset(fault())
        told = f"{bench.run()}; {bench.counted()}"
        if "error" not in told:
            return told
        bench.server.reset(faults.none())
        return f"{told}. Then without the fault: {bench.run()}; {bench.server.sent / 1e6:.0f} MB"

    return situation


def killed(bench: Bench) -> str:
    bench.server.reset(faults.none(), hold=SIZE // 2)
    process = bench.start()
    if not bench.server.held.wait(LIMIT):
        process.kill()
        return f"never asked for half: {bench.judge(process)}"
    time.sleep(0.5)  # for what is on its way to be written
    process.send_signal(signal.SIGKILL)
    process.communicate()
    bench.server.reset(faults.none())
    outcome = bench.run()
    left = sum(path.stat().st_size for path in bench.cache.rglob("*") if path.is_file() and not path.is_symlink())
    orphans = f"; {(left - SIZE) / 1e6:.0f} MB of leavings stay" if left > SIZE * 1.05 else ""
    return f"{outcome}; second run: {bench.counted()}{orphans}"


def together(bench: Bench) -> str:
    bench.server.reset(faults.none())
    processes = [bench.start() for _ in range(6)]
    outcomes = sorted({bench.judge(process) for process in processes})
    return f"{' / '.join(outcomes)}; {bench.counted()}"


def edited(bench: Bench) -> str:
    return _edited(bench, keep_time=False)


def edited_and_dated_back(bench: Bench) -> str:
    return _edited(bench, keep_time=True)


def _edited(bench: Bench, keep_time: bool) -> str:
    bench.server.reset(faults.none())
    bench.run()
    path = bench.file()
    before = path.stat()
    with path.open("r+b") as file:
        file.seek(SIZE // 2)
        file.write(b"edited")
    if keep_time:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    bench.server.reset(faults.none())
    told = f"{bench.run()}; {bench.counted()}"
    if "wrong" not in told or not bench.contender.careful:
        return told
    asked = ", ".join(f"{name.lower()}={value}" for name, value in bench.contender.careful.items())
    return f"{told}. With {asked}: {bench.run(more=bench.contender.careful)}"


def read_only_offline(bench: Bench) -> str:
    if os.geteuid() == 0 and not shutil.which("setpriv"):
        return "not tried: root reads and writes everywhere, and there is no setpriv"
    bench.server.reset(faults.none())
    bench.run()
    plain = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    paths = [bench.cache, *bench.cache.rglob("*")]
    for path in paths:
        path.chmod(path.stat().st_mode & ~0o222)
    bench.server.reset(faults.none())
    try:
        return f"{bench.run(*plain, more=bench.contender.offline)}; {bench.server.requests} requests"
    finally:
        for path in paths:
            path.chmod(path.stat().st_mode | 0o700)


def disk_full(bench: Bench) -> str:
    with _small_disk(bench.cache) as mounted:
        if not mounted:
            return "not tried: mounting a small disk needs root"
        bench.server.reset(faults.none())
        outcome = f"{bench.run()}; {bench.counted()}"
        used = shutil.disk_usage(bench.cache).used
        return f"{outcome}; {used / 1e6:.0f} MB left behind"


@contextmanager
def _small_disk(folder: Path) -> Iterator[bool]:
    command = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "none", str(folder)]
    try:
        yield subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        yield False
    finally:
        with suppress(FileNotFoundError):
            subprocess.run(["umount", str(folder)], capture_output=True, check=False)


SITUATIONS: Mapping[str, tuple[str, Callable[[Bench], str]]] = {
    "none": ("no fault", once(faults.none)),
    "flip": ("one bit flipped in transit", once(faults.flipped)),
    "cut": ("first answer cut off half-way", once(faults.cut_once)),
    "limit": ("every answer cut off after 15 MB", once(faults.cut_always)),
    "range": ("cut off, then ranges from another place, `Content-Range` says so", once(faults.shifted)),
    "whole": ("cut off, then 200 and the whole file for a range", once(faults.ignores_ranges)),
    "changed": ("cut off, then another file under another `ETag`", once(faults.changed)),
    "portal": ("captive portal: 200 and a page", once(faults.portal)),
    "kill": ("`kill -9` half-way, then again", killed),
    "six": ("6 processes, cold cache", together),
    "edit": ("cached file edited on disk", edited),
    "dated": ("the same, its time put back", edited_and_dated_back),
    "offline": ("read-only cache, offline", read_only_offline),
    "disk": (f"disk of {SMALL_DISK[:-1]} MB", disk_full),
}
