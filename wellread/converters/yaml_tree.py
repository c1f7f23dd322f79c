"""Reading YAML field by field, collecting everything that is wrong with it.

A reader takes a node, the name it goes by and the list of complaints; it gives the value, or adds complaints and gives
``None``. Text is taken as it stands in the file, so ``language: no`` is Norwegian and ``spark_version: 2.10`` keeps its
zero. Aliases, tags, deep nesting and large files are refused before anything is built from them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import yaml

from wellread.errors import BadInput, near_misses

MOST_BYTES = 1024 * 1024
_DEEPEST = 16

T = TypeVar("T")


@dataclass
class Complaints:
    """What is wrong so far, each with its line, 1-based."""

    found: list[tuple[int, str]] = field(default_factory=list)

    def add(self, node: yaml.Node, text: str) -> None:
        self.found.append((_line(node.start_mark), text))

    def lines(self) -> list[str]:
        return [f"  line {line}: {text}" for line, text in sorted(self.found)]


Reader = Callable[[yaml.Node, str, Complaints], Any]


@dataclass(frozen=True)
class Key:
    """A key of a mapping: how its value is read, and what to say if it must be there and is not."""

    read: Reader
    required: str = ""


def tree(text: str) -> yaml.Node:
    """The root of a YAML document. Raises BadInput, with the line."""
    if len(text.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        raise BadInput(f"it is larger than {MOST_BYTES} bytes")
    try:
        _refuse_tricks(text)
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        raise BadInput(f"it is not YAML, line {_line(error.problem_mark)}: {error.problem}") from error
    except (yaml.YAMLError, UnicodeError) as error:
        raise BadInput(f"it is not YAML: {str(error).splitlines()[0]}") from error
    if root is None:
        raise BadInput("it is empty")
    return root


def _line(mark: Any) -> int:
    return int(mark.line) + 1 if mark else 1


def _refuse_tricks(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        line = _line(event.start_mark)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise BadInput(f"line {line}: anchors and aliases (& and *) are not taken; write it out, or quote it")
        if tag := getattr(event, "tag", None):
            raise BadInput(f"line {line}: tags such as {tag!r} are not taken")
        if depth > _DEEPEST:
            raise BadInput(f"line {line}: nested deeper than {_DEEPEST}")


def text(node: yaml.Node, name: str, complaints: Complaints) -> str | None:
    """A scalar as it is written; nothing after the colon is the empty text."""
    if not isinstance(node, yaml.ScalarNode):
        complaints.add(node, f"{name} is to be a text")
        return None
    return str(node.value).strip()


def flag(node: yaml.Node, name: str, complaints: Complaints) -> bool | None:
    """``true`` or ``false``."""
    found = {"true": True, "false": False}.get(str(node.value).lower()) if isinstance(node, yaml.ScalarNode) else None
    if found is None:
        complaints.add(node, f"{name} is to be true or false")
    return found


def whole(low: int, high: int, unit: str) -> Reader:
    """An integer from ``low`` to ``high``."""

    def read(node: yaml.Node, name: str, complaints: Complaints) -> int | None:
        raw = node.value if isinstance(node, yaml.ScalarNode) else ""
        if not re.fullmatch(r"-?\d{1,18}", raw) or not low <= int(raw) <= high:
            complaints.add(node, f"{name} is to be a whole number of {unit} from {low} to {high}")
            return None
        return int(raw)

    return read


def number(node: yaml.Node, name: str, complaints: Complaints) -> float | None:
    """A finite decimal number."""
    raw = node.value if isinstance(node, yaml.ScalarNode) else ""
    if not re.fullmatch(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d{1,2})?", raw):
        complaints.add(node, f"{name} is to be a number")
        return None
    return float(raw)


def parsed(parse: Callable[[str], T]) -> Reader:
    """A text that ``parse`` accepts; its BadInput becomes the complaint."""

    def read(node: yaml.Node, name: str, complaints: Complaints) -> T | None:
        raw = text(node, name, complaints)
        if raw is None:
            return None
        try:
            return parse(raw)
        except BadInput as error:
            complaints.add(node, f"{name}: {error}")
            return None

    return read


def one_of(*choices: str) -> Reader:
    """One of a few words."""

    def parse(raw: str) -> str:
        if raw not in choices:
            near = near_misses(raw, choices)
            raise BadInput(f"{raw!r} is not one of {', '.join(choices)}{'.' + near if near else ''}")
        return raw

    return parsed(parse)


def listed(read: Reader, least: int = 0, distinct: bool = False) -> Reader:
    """A list, each item by ``read``."""

    def read_all(node: yaml.Node, name: str, complaints: Complaints) -> tuple[Any, ...] | None:
        if not isinstance(node, yaml.SequenceNode):
            complaints.add(node, f"{name} is to be a list, each item on a line with '- ' or within [ ]")
            return None
        items = tuple(read(item, f"{name}[{i}]", complaints) for i, item in enumerate(node.value))
        if len(items) < least:
            complaints.add(node, f"{name} needs {'an item' if least == 1 else f'{least} items'} at least")
        known = [item for item in items if item is not None]
        if distinct and len(set(known)) < len(known):
            complaints.add(node, f"{name} names {next(x for x in known if known.count(x) > 1)!r} twice")
        return items

    return read_all


def mapped(read_key: Callable[[str], str], read: Reader) -> Reader:
    """A mapping with free keys, each accepted by ``read_key``."""

    def read_all(node: yaml.Node, name: str, complaints: Complaints) -> dict[str, Any] | None:
        pairs = _pairs(node, name, complaints)
        found = {}
        for key, key_node, value in pairs or ():
            accepted = parsed(read_key)(key_node, name, complaints)
            if accepted is not None:
                found[accepted] = read(value, f"{name}[{key}]", complaints)
        return None if pairs is None else found

    return read_all


def mapping(node: yaml.Node, name: str, keys: Mapping[str, Key], complaints: Complaints) -> dict[str, Any] | None:
    """A mapping with known keys: the values of those that are there and not empty."""
    pairs = _pairs(node, name, complaints)
    if pairs is None:
        return None
    found: dict[str, Any] = {}
    for key, key_node, value in pairs:
        if key not in keys:
            near = near_misses(key, keys) or f" Known are {', '.join(keys)}"
            complaints.add(key_node, f"{key!r} is no key of {name}.{near}")
        elif not _is_empty(value):
            found[key] = keys[key].read(value, key, complaints)
    for key, about in keys.items():
        if about.required and key not in found:
            complaints.add(node, f"{key} is missing: {about.required}")
    return found


def _is_empty(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and not node.value.strip()


def _pairs(node: yaml.Node, name: str, complaints: Complaints) -> list[tuple[str, yaml.Node, yaml.Node]] | None:
    if not isinstance(node, yaml.MappingNode):
        complaints.add(node, f"{name} is to be a mapping, 'key: value' on each line")
        return None
    pairs, seen = [], set()
    for key_node, value in node.value:
        key = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else ""
        if not key or key in seen:
            complaints.add(
                key_node, f"{name} has the key {key!r} twice" if key else f"{name} has a key that is no text"
            )
            continue
        seen.add(key)
        pairs.append((key, key_node, value))
    return pairs
