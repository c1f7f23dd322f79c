"""A folder of a hub's posts, made ours: each is read, and written as ``writing`` writes it.

    posts/ann/2020-08-25-small_bert_L8_512.md    →    out/2020-08-25-small_bert_L8_512.md
    posts/06-05-2020-lemma_de.md                 →    out/2020-05-06-lemma_de.md
    posts/small.md                               →    out/<date>-<name>_<language>.md, from its front matter

A file's name is its address in Jekyll, so it is kept where Jekyll takes it. A post that cannot be read stops no other;
two that would be one file are both refused. What was imported is imported again without a change.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Literal, NoReturn

from wellread.errors import BadInput, WellreadError
from wellread.model_cards.card import Card
from wellread.model_cards.reading import LONGEST, read_card
from wellread.model_cards.writing import write_post
from wellread.registry import disk
from wellread.registry.names import parse_name

Outcome = Literal["written", "unchanged", "refused"]

_DATED = re.compile(r"(\d{4}-\d\d-\d\d)-(.+)")
_DAY_FIRST = re.compile(r"(\d\d)[-/.](\d\d)[-/.](\d{4})(?:-(.+))?")
_MOST_BYTES = 4 * LONGEST


@dataclass(frozen=True)
class Imported:
    """What became of one post. ``source`` is relative to the folder, ``target`` to ``out``; ``why`` it was refused."""

    source: str
    outcome: Outcome
    target: str = ""
    why: str = ""


@dataclass(frozen=True)
class Report:
    """What became of every post, in the order of their names."""

    posts: tuple[Imported, ...]

    def count(self, outcome: Outcome) -> int:
        return sum(post.outcome == outcome for post in self.posts)


@dataclass(frozen=True)
class _Post:
    """A post that was looked at: the name that it gets, or why it gets none."""

    path: Path
    source: str
    target: str = ""
    why: str = ""


def import_posts(folder: Path, out: Path) -> Report:
    """Write every post (``*.md``) in ``folder`` and the folders below it into ``out``, in our layout.

    Raises BadInput where there is no such folder, or ``out`` is that folder; WellreadError where a folder cannot be
    read or ``out`` cannot be written. Posts below ``out`` are not read.
    """
    if not folder.is_dir():
        raise BadInput(f"{folder} is not a folder: give the one that holds the posts (*.md)")
    if out.resolve() == folder.resolve():
        raise BadInput(f"{out} holds the posts that are to be imported: choose another folder with --out")
    posts = list(_posts(folder, out))
    targets = Counter(post.target.casefold() for post in posts)
    return Report(tuple(_imported(post, out, targets) for post in posts))


def posts_in(folder: Path) -> list[Path]:
    """Every ``*.md`` in a folder and the folders below it, sorted.

    Raises WellreadError for a folder that cannot be read, which ``Path.rglob`` would pass over without a word.
    """

    def refuse(error: OSError) -> NoReturn:
        raise WellreadError(f"cannot read {error.filename}: {error.strerror}; make it readable, or move it") from error

    found = (Path(root, file) for root, _, files in os.walk(folder, onerror=refuse) for file in files)
    return sorted(path for path in found if path.suffix == ".md" and path.is_file())


def target_name(card: Card, stem: str) -> str:
    """The file name of a card's post; ``stem`` is the one that it had. Raises BadInput where neither gives one."""
    if dated := _DATED.fullmatch(stem):
        return f"{_day(dated[1])}-{parse_name(dated[2])}.md"
    if (day_first := _DAY_FIRST.fullmatch(stem)) and day_first[4]:
        return f"{_day('-'.join(day_first.group(3, 2, 1)))}-{parse_name(day_first[4])}.md"
    language = "-".join(card.languages)
    return f"{_day(card.keys.get('date'))}-{parse_name(f'{card.name}_{language}' if card.name else '')}.md"


def _day(told: object) -> date:
    """A day, as a post's front matter or file name has it."""
    if isinstance(told, datetime):
        return told.date()
    if isinstance(told, date):
        return told
    text = str(told or "").strip()
    if day_first := _DAY_FIRST.fullmatch(text):
        text = "-".join(day_first.group(3, 2, 1))
    try:
        return date.fromisoformat(text[:10])
    except ValueError as error:
        raise BadInput(f"{text!r} is not a day: write the date as 2020-08-25") from error


# ---------------------------------------------------------------- one post


def _posts(folder: Path, out: Path) -> Iterator[_Post]:
    """Every post of a folder and its name. Each is read again to be written: all at once may be more than memory."""
    for path in posts_in(folder):
        if not path.resolve().is_relative_to(out.resolve()):
            yield _named(path, path.relative_to(folder).as_posix())


def _named(path: Path, source: str) -> _Post:
    try:
        return _Post(path, source, target_name(_card(path, source), path.stem))
    except BadInput as error:
        problem = str(error)
    except OSError as error:
        problem = f"cannot be read: {error.strerror or error}"
    return _Post(path, source, why=problem if problem.startswith(source) else f"{source}: {problem}")


def _card(path: Path, source: str) -> Card:
    """The card of a post. Raises BadInput where it is none, OSError where it cannot be read."""
    if path.stat().st_size > _MOST_BYTES:
        raise BadInput(f"{source} has more than {_MOST_BYTES} bytes: this is no card; take long tables out of it")
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        line = 1 + path.read_bytes()[: error.start].count(b"\n")
        raise BadInput(f"{source}:{line} is not UTF-8: save the file in that encoding") from error
    card = read_card(text, source)
    if not card.name:
        raise BadInput(f"{source}:1: this is no model's card: its front matter needs a line 'name: …'")
    return card


def _imported(post: _Post, out: Path, targets: Counter[str]) -> Imported:
    if post.why:
        return Imported(post.source, "refused", why=post.why)
    if targets[post.target.casefold()] > 1:
        return Imported(post.source, "refused", post.target, f"{post.source}: another post becomes {post.target} too")
    data = write_post(_card(post.path, post.source)).encode("utf-8")
    if _holds(out / post.target, data):
        return Imported(post.source, "unchanged", post.target)
    disk.write(out / post.target, data)
    return Imported(post.source, "written", post.target)


def _holds(target: Path, data: bytes) -> bool:
    try:
        return target.is_file() and target.read_bytes() == data
    except OSError as error:
        raise WellreadError(f"cannot read {target}: {error.strerror or error}; choose another --out") from error
