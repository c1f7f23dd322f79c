"""The files to read: which they are, and how each is opened.

An input is a file, a folder (everything below it that is of a known kind) or a pattern, on this machine or in a bucket:

    texts/a.parquet   texts/   'texts/**/*.jsonl'   s3://bucket/texts/   's3://bucket/2024-*/texts.csv.gz'

``*`` and ``?`` stop at a slash and ``**`` does not. What begins with ``.`` or ``_`` in a folder or under a pattern is
left out, for such are the private files of whoever wrote the folder. Links to files are followed; those to folders only
where they are named, for they may lead back.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from wellread.bulk.bucket import BucketFile, divided, lone, objects
from wellread.bulk.kinds import KINDS, is_known, kind_of
from wellread.errors import BadInput, NotFound
from wellread.registry.stores.reasons import without_secrets

_BUFFER = 2**20
_ADDRESS = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]+)://")
_WILD = re.compile(r"[*?\[]")


class Found(NamedTuple):
    """A file that is there. ``etag`` changes with every write, and means nothing else."""

    path: str
    size: int
    etag: str

    @property
    def stat(self) -> tuple[int, str]:
        return self.size, self.etag


def listed(inputs: Sequence[str], output: str = "") -> list[Found]:
    """All files that ``inputs`` stand for, sorted and each once whatever leads to it, but for those below ``output``.

    Raises BadInput for what is no file that can be read, NotFound where an input stands for none, HubUnavailable.
    """
    if not inputs:
        raise BadInput("there is no input: name files, folders or patterns")
    found = {file.path: file for given in inputs for file in _some(given, output)}
    once: dict[str, Found] = {}
    for path in sorted(found, key=lambda path: (path != _real(path), path)):  # its own name before those of links
        once.setdefault(_real(path), found[path])
    return sorted(once.values())


def opened(path: str, size: int, etag: str) -> io.BufferedReader:
    """A file of texts, to be read from any byte. Raises OSError or HubUnavailable; BadInput if it has changed."""
    if where := divided(path):
        return io.BufferedReader(BucketFile(*where, size, etag), _BUFFER)
    return _unchanged(Path(path).open("rb"), path, etag)


def _unchanged(file: io.BufferedReader, path: str, etag: str) -> io.BufferedReader:
    if _etag(os.fstat(file.fileno())) != etag:
        file.close()
        raise BadInput(f"{path} changed while it was being read: run this again when nobody writes it")
    return file


# ---------------------------------------------------------------- what an input stands for


def _some(given: str, output: str) -> list[Found]:
    """What one input stands for. Raises NotFound where that is nothing."""
    where = divided(given)
    if where is None and (other := _ADDRESS.match(given)) and other["scheme"] != "file":
        raise BadInput(f"{without_secrets(given)}: files are read from folders and from s3, gs and az buckets")
    found = list(_in_bucket(*where) if where else _here(given.removeprefix("file://")))
    below = _real(output).rstrip("/") + "/"
    if kept := [file for file in found if not (output and _real(file.path).startswith(below))]:
        return kept
    raise NotFound(f"{given}: {_nothing(given, bool(where))}")


def _nothing(given: str, in_bucket: bool) -> str:
    """What is not there. What lies in a folder or under a pattern may be there, and of another kind."""
    if in_bucket or _WILD.search(given):
        return f"no such file of a kind that is read. Known: {', '.join(KINDS)}"
    return "no file of texts in it" if Path(given).is_dir() else "no such file"


def _here(given: str) -> Iterator[Found]:
    path = Path(given).expanduser().absolute()
    wanted: Callable[[str], bool] = partial(_is_offered, root=str(path))
    if path.is_dir():
        places: Iterable[str] = (str(each) for each in path.rglob("*"))
    elif path.exists() or not _WILD.search(given):
        kind_of(given)
        places, wanted = [str(path)] * path.exists(), _anything
    else:
        root = Path(_WILD.split(str(path))[0] + "x").parent
        places, wanted = _matching(root, path.relative_to(root)), partial(_is_offered, root=str(root))
    for place in places:
        if wanted(place) and Path(place).is_file():
            found = Path(place).stat()
            yield Found(_checked(place), found.st_size, _etag(found))


def _matching(root: Path, pattern: Path) -> Iterator[str]:
    """What lies below a folder under names of a pattern, in which ``**`` at its end means files as well."""
    try:
        yield from map(str, root.glob(str(pattern / "*" if pattern.name == "**" else pattern)))
    except ValueError as error:
        raise BadInput(f"{root / pattern}: {error}") from error


def _checked(path: str) -> str:
    """Raises BadInput for a name whose bytes are no text: the plan could not name it."""
    try:
        path.encode()
    except UnicodeEncodeError as error:
        shown = os.fsencode(path).decode(errors="backslashreplace")
        raise BadInput(f"{shown}: its name is not UTF-8: rename it") from error
    return path


def _in_bucket(bucket: str, key: str) -> Iterator[Found]:
    """The object of that name; else those below it, or those that a pattern stands for."""
    if (exact := lone(bucket, key)) and kind_of(key):
        yield Found(f"{bucket}/{key}", *exact)
        return
    fixed = _WILD.split(key)[0]
    root = key.rstrip("/") if fixed == key else fixed.rpartition("/")[0]
    matches = _pattern(key) if fixed != key else re.compile(".*", re.DOTALL)
    for name, size, etag in objects(bucket, root):
        if matches.fullmatch(name) and _is_offered(name, root):
            yield Found(f"{bucket}/{name}", size, etag)


def _anything(_: str) -> bool:
    return True


def _is_offered(path: str, root: str) -> bool:
    """Whether a file that nobody named is meant: of a known kind, and not private below ``root``."""
    parts = path.removeprefix(root).strip("/" + os.sep).replace(os.sep, "/").split("/")
    return is_known(path) and not any(part[:1] in ("_", ".") for part in parts)


def _pattern(key: str) -> re.Pattern[str]:
    """A pattern as an expression: ``glob.translate`` comes with Python 3.13."""
    signs = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[[^\]]+\])", key)
    sets = (part.replace("[!", "[^", 1) if part[:1] == "[" else re.escape(part) for part in parts)
    return re.compile("".join(signs.get(part, other) for part, other in zip(parts, sets, strict=True)), re.DOTALL)


def _real(path: str) -> str:
    """Where a file lies, whatever links lead there."""
    return path if divided(path) else os.path.realpath(path)


def _etag(found: os.stat_result) -> str:
    return f"{found.st_mtime_ns:x}-{found.st_size:x}-{found.st_ino:x}"
