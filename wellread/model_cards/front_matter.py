"""The YAML between two lines of three dashes at the top of a post or README.

Founding posts are read as they are: lists or strings, ``article_header`` with its ``type: cover`` indented or not. A
value comes back as it was written: ``no`` is Norwegian, not false; ``3.10`` and ``12:30`` stay text, since as numbers
they would be others. Anchors, tags and deep nests have no place in a card, and would make a small file a large one.
"""

from __future__ import annotations

import math
import sys
from typing import Any, NamedTuple

import yaml

from wellread.errors import BadInput

LONGEST = 256 * 1024
"""Characters of front matter at most."""
DEEPEST = 20
"""Lists and maps in each other at most."""
_MARK = "---"
_ENDS = ("---", "...")
_DIGITS = 100
_FLAGS = ("supported", "recommended", "deprecated")
_BOOLEANS = {"true": True, "false": False}
_YES_AND_NO = {"yes": True, "on": True, "no": False, "off": False}


class Page(NamedTuple):
    """A file in two: ``keys`` is None where it has no front matter."""

    keys: dict[str, Any] | None
    body: str


def split_page(text: str, where: str) -> Page:
    """The front matter of a page and what follows it, ends of lines made ``\\n`` and a byte order mark left off.

    Raises BadInput with file and line where the front matter cannot be read.
    """
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    if lines[first].rstrip() != _MARK:
        return Page(None, "\n".join(lines))
    ends = (number for number, line in enumerate(lines[first + 1 :], first + 1) if line.rstrip() in _ENDS)
    last = next(ends, None)
    if last is None:
        raise BadInput(
            f"{where}:{first + 1}: the front matter that begins here never ends: close it with a line {_MARK}"
        )
    return Page(_read("\n".join(lines[first + 1 : last]), where, first + 1), "\n".join(lines[last + 1 :]))


def write_front_matter(keys: dict[str, Any]) -> str:
    """Keys as YAML in their order, one a line where it has no parts, ending in a newline; empty for none."""
    if not keys:
        return ""
    shown = {key: _Quoted(value) if key in _QUOTED and isinstance(value, str) else value for key, value in keys.items()}
    return yaml.dump(shown, Dumper=_Writer, sort_keys=False, allow_unicode=True, width=sys.maxsize)


# ---------------------------------------------------------------- reading


_SPELLING = yaml.representer.SafeRepresenter()


class _Reader(yaml.CSafeLoader):
    """YAML's scalars, but a word that is not what it would be read as stays the word."""


def _integer(reader: _Reader, node: yaml.ScalarNode) -> int | str:
    text = str(node.value)
    return int(text) if len(text) < _DIGITS and text.isascii() and str(_whole(text)) == text else text


def _whole(text: str) -> int | None:
    return int(text) if text.removeprefix("-").isdecimal() else None


def _float(reader: _Reader, node: yaml.ScalarNode) -> float | str:
    number = reader.construct_yaml_float(node)
    return number if math.isfinite(number) and _SPELLING.represent_float(number).value == node.value else node.value


def _boolean(reader: _Reader, node: yaml.ScalarNode) -> bool | str:
    text = str(node.value)
    return _BOOLEANS.get(text.lower(), text)


_Reader.add_constructor("tag:yaml.org,2002:int", _integer)
_Reader.add_constructor("tag:yaml.org,2002:float", _float)
_Reader.add_constructor("tag:yaml.org,2002:bool", _boolean)


def _read(source: str, where: str, above: int) -> dict[str, Any]:
    """The keys in YAML that stands below line ``above`` of its file."""
    if len(source) > LONGEST:
        raise BadInput(f"{where}:{above}: the front matter has more than {LONGEST} characters: move prose below it")
    try:
        _check(source, where, above)
        found = _load(source)
    except BadInput:
        raise
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "not YAML"
        raise BadInput(
            f"{where}:{above + 1 + (mark.line if mark else 0)}: the front matter cannot be read: {problem}; "
            "put a text with ':' or '#' between quotes"
        ) from error
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{where}:{above}: the front matter cannot be read: {error}; correct that value") from error
    return _settled(found, where, above)


def _load(source: str) -> Any:
    reader = _Reader(source)
    try:
        return reader.get_single_data()
    finally:
        reader.dispose()


def _check(source: str, where: str, above: int) -> None:
    """Refuse what no card needs, before anything is built of it."""
    depth = 0
    for event in yaml.parse(source, Loader=_Reader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        line = event.start_mark.line if event.start_mark else 0
        if getattr(event, "anchor", None) or depth > DEEPEST or _is_tagged(event):
            raise BadInput(
                f"{where}:{above + 1 + line}: front matter takes no anchors (&, *), no tags (!), no "
                f"more than {DEEPEST} levels: write the value out, text between quotes"
            )


def _is_tagged(event: yaml.Event) -> bool:
    return getattr(event, "tag", None) not in {None, "!"}


def _settled(found: Any, where: str, above: int) -> dict[str, Any]:
    """The keys as the record has them: one spelling of ``article_header``, flags as flags."""
    keys = {} if found is None else found
    odd = [key for key in keys if not isinstance(key, str)] if isinstance(keys, dict) else [keys]
    if odd:
        raise BadInput(f"{where}:{above}: front matter is lines of 'key: value', and {odd[0]!r} is no key: quote it")
    if "article_header" in keys and keys["article_header"] is None and "type" in keys:
        keys = {key: {"type": keys["type"]} if key == "article_header" else keys[key] for key in keys if key != "type"}
    flags = {key: _YES_AND_NO.get(str(keys[key]).lower(), keys[key]) for key in _FLAGS if key in keys}
    return keys | flags


# ---------------------------------------------------------------- writing


class _Quoted(str):
    """Text between quotes, as the founding posts have it."""


_QUOTED = ("use_language_switcher",)


class _Writer(yaml.SafeDumper):
    """As founding posts look: short lists on their line, no aliases, text on one line whatever it holds."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _list(writer: _Writer, items: list[Any]) -> yaml.Node:
    flat = not any(isinstance(item, list | dict) for item in items)
    return writer.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=flat)


def _text(writer: _Writer, text: str) -> yaml.Node:
    style = '"' if isinstance(text, _Quoted) or not text.isprintable() else None
    return writer.represent_scalar("tag:yaml.org,2002:str", str(text), style=style)


_Writer.add_representer(list, _list)
_Writer.add_representer(str, _text)
_Writer.add_representer(_Quoted, _text)
