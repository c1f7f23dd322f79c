"""A recipe: the YAML file that says what a model is, where it comes from, and by which numbers it is known.

    name: small_bert_L8_512                    sources:                       the canonical one first, then fallbacks
    language: en                                 - tfhub:https://tfhub.dev/…
    title: Smaller BERT Embeddings (…)           - location: pypi:NAME==VERSION/FOLDER
    license: Apache-2.0                            files: {vocab.txt: <sha256>}
    time: 1598344705269                        goldens:                       leading floats published by others
                                                 - {text: I love NLP, level: token, word: love, first: [0.1, -0.2]}

Every key stands in ``_RECIPE`` below, with its reader. All that is wrong with a file is said in one error. Built-in
recipes lie in ``wellread/recipes/<language>/<name>.yaml``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec
import yaml

from wellread.converters import yaml_tree as read
from wellread.converters.formats.claims import FIELDS
from wellread.converters.sources import Source, parse_source
from wellread.converters.yaml_tree import Complaints, Key
from wellread.errors import BadInput, NotFound, near_misses
from wellread.registry.names import (
    FIRST_MOMENT,
    LAST_MOMENT,
    Lang,
    ModelName,
    Version,
    parse_digest,
    parse_lang,
    parse_name,
    parse_reference,
)
from wellread.registry.records import Annotator, Pooling

FormName = Literal["torch", "onnx", "onnx-int8", "onnx-fp16"]
Given = int | float | str | bool
Level = Literal["token", "sentence", "pooled"]
DEFAULT_FORMS: tuple[FormName, ...] = ("torch", "onnx", "onnx-int8")
TOLERANCE = 1e-4
SUFFIXES = (".yaml", ".yml")


class Golden(msgspec.Struct, frozen=True, kw_only=True):
    """Leading floats that someone published for the model, and how far ours may be from them.

    The input is ``text``, or ``ids`` with ``[CLS]`` and ``[SEP]`` among them. ``first`` are the leading floats of

        token       the last layer at the first piece of ``word`` (its first occurrence) or at ``position`` (0: [CLS])
        sentence    the text's vector by the recipe's pooling
        pooled      the pooler's output
    """

    level: Level
    first: tuple[float, ...]
    text: str = ""
    ids: tuple[int, ...] = ()
    word: str = ""
    position: int | None = None
    tolerance: float = TOLERANCE


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """What a model is and how it is made. ``time`` in milliseconds; ``None`` where the build or the weights decide.

    ``architecture`` has the fields of ``Architecture`` that the source does not say, such as ``heads`` or ``cased``.
    """

    name: ModelName
    language: Lang
    title: str
    license: str
    sources: tuple[Source, ...]
    description: str = ""
    annotator: Annotator = "BertEmbeddings"
    task: str = "Embeddings"
    author: str = ""
    edition: str = ""
    supported: bool = False
    recommended: bool = False
    tags: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    base_model: str = ""
    data_source: str = ""
    citation: str = ""
    repository: str = ""
    library_version: str = "2.6.0"
    spark_version: str = "2.4"
    time: int | None = None
    dimension: int | None = None
    max_length: int | None = None
    architecture: Mapping[str, Given] = {}
    pooling: Pooling | Literal["auto"] = "mean"
    forms: tuple[FormName, ...] = DEFAULT_FORMS
    examples: tuple[str, ...] = ()
    goldens: tuple[Golden, ...] = ()

    def digest(self) -> str:
        """sha256 of what the recipe says, however it is laid out and whether defaults are written or not."""
        return hashlib.sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()


# ---------------------------------------------------------------- what may stand in a recipe


def parse_license(text: str) -> str:
    """An SPDX expression, normalised. Raises BadInput."""
    if re.fullmatch(r"LicenseRef-[A-Za-z0-9.-]+", text):
        return text
    try:
        return str(_licensing().parse(text or "()", validate=True, strict=True))
    except Exception as error:  # its parser fails on "()" and the like with IndexError and others
        near = near_misses(text, _licensing().known_symbols) or " Write one such as Apache-2.0, or LicenseRef-NAME"
        raise BadInput(f"{text!r} is not an SPDX licence.{near}") from error


@cache
def _licensing() -> Any:
    from license_expression import get_spdx_licensing

    return get_spdx_licensing()


def _version(text: str) -> str:
    return str(Version.parse(text))


def _pinned_path(text: str) -> str:
    if not text.isprintable() or "\\" in text or any(part in ("", ".", "..") for part in text.split("/")):
        raise BadInput(f"{text!r} is not a path inside the source")
    return text


def _source(node: yaml.Node, name: str, complaints: Complaints) -> Source | None:
    if isinstance(node, yaml.ScalarNode):
        return read.parsed(parse_source)(node, name, complaints)  # type: ignore[no-any-return]
    found = read.mapping(node, "a source", _SOURCE, complaints)
    location = found.pop("location", None) if found else None
    return msgspec.structs.replace(location, **_given(found)) if found is not None and location else None


def _golden(node: yaml.Node, name: str, complaints: Complaints) -> Golden | None:
    found = read.mapping(node, "a golden", _GOLDEN, complaints)
    if found is None or not {"level", "first"} <= set(_given(found)):
        return None
    golden = Golden(**_given(found))
    for problem in _contradictions(golden):
        complaints.add(node, f"{name}: {problem}")
    return golden


def _contradictions(golden: Golden) -> list[str]:
    token = golden.level == "token"
    checks = {
        "give either text or ids": bool(golden.text) == bool(golden.ids),
        "level token needs either word or position": token and bool(golden.word) == (golden.position is not None),
        "word and position are for level token": not token and bool(golden.word or golden.position is not None),
        "word needs text": bool(golden.word and golden.ids),
        f"{golden.word!r} is not in the text": bool(golden.text) and golden.word not in golden.text,
    }
    return [problem for problem, wrong in checks.items() if wrong]


def _architecture(node: yaml.Node, name: str, complaints: Complaints) -> dict[str, Given] | None:
    found = read.mapping(node, name, _ARCHITECTURE, complaints)
    return None if found is None else _given(found)


_PLAIN = {int: read.whole(1, 2**31 - 1, "items"), float: read.number, bool: read.flag}
_ARCHITECTURE = {
    field: Key(read.one_of(*kind) if isinstance(kind, tuple) else _PLAIN[kind]) for field, kind in FIELDS.items()
}
_SOURCE = {
    "location": Key(read.parsed(parse_source), "a path, address or handle"),
    "sha256": Key(read.parsed(parse_digest)),
    "files": Key(read.mapped(_pinned_path, read.parsed(parse_digest))),
}
_GOLDEN = {
    "text": Key(read.text),
    "ids": Key(read.listed(read.whole(0, 2**31 - 1, "a token id"), least=1)),
    "level": Key(read.one_of(*get_args(Level)), "token, sentence or pooled"),
    "word": Key(read.text),
    "position": Key(read.whole(0, 100_000, "tokens")),
    "first": Key(read.listed(read.number, least=1), "the leading floats that were published"),
    "tolerance": Key(read.number),
}
_RECIPE = {
    "name": Key(read.parsed(parse_name), "the model's name, such as small_bert_L8_512"),
    "language": Key(read.parsed(parse_lang), "a language code such as en, or xx for many"),
    "title": Key(read.text, "a line for people"),
    "description": Key(read.text, "a sentence or two for people"),
    "annotator": Key(read.one_of(*get_args(Annotator))),
    "task": Key(read.one_of("Embeddings")),
    "license": Key(read.parsed(parse_license), "an SPDX expression such as Apache-2.0"),
    "author": Key(read.text),
    "edition": Key(read.text),
    "supported": Key(read.flag),
    "recommended": Key(read.flag),
    "tags": Key(read.listed(read.text, distinct=True)),
    "aliases": Key(read.listed(read.parsed(parse_reference), distinct=True)),
    "languages": Key(read.listed(read.parsed(parse_lang), distinct=True)),
    "base_model": Key(read.text),
    "data_source": Key(read.text),
    "citation": Key(read.text),
    "repository": Key(read.text),
    "library_version": Key(read.parsed(_version)),
    "spark_version": Key(read.parsed(_version)),
    "time": Key(read.whole(FIRST_MOMENT, LAST_MOMENT, "milliseconds since 1970")),
    "dimension": Key(read.whole(1, 65_536, "floats")),
    "max_length": Key(read.whole(3, 1_000_000, "tokens")),
    "architecture": Key(_architecture),
    "pooling": Key(read.one_of(*get_args(Pooling), "auto")),
    "forms": Key(read.listed(read.one_of(*get_args(FormName)), least=1, distinct=True)),
    "sources": Key(read.listed(_source, least=1), "where the model comes from, the canonical source first"),
    "examples": Key(read.listed(read.text)),
    "goldens": Key(read.listed(_golden)),
}


def _given(found: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if value is not None}


# ---------------------------------------------------------------- reading and writing


def parse(text: str, where: str = "the recipe") -> Recipe:
    """A recipe out of YAML text; ``where`` names it in the error. Raises one BadInput with all that is wrong."""
    complaints = Complaints()
    try:
        root = read.tree(text)
    except BadInput as error:
        raise BadInput(f"{where}: {error}") from error
    found = read.mapping(root, "a recipe", _RECIPE, complaints)
    if found is not None and not complaints.found:
        _check_together(root, found, complaints)
    if complaints.found or found is None:
        raise BadInput("\n".join([f"{where} has {_count(len(complaints.found), 'problem')}:", *complaints.lines()]))
    return Recipe(**_given(found))


def parse_given(pairs: Iterable[str]) -> dict[str, Given]:
    """Fields of ``Architecture`` typed as ``heads=4``. Raises BadInput."""
    complaints, text = Complaints(), "\n".join(pair.replace("=", ": ", 1) for pair in pairs)
    found = _architecture(read.tree(text), "an architecture", complaints) if text else {}
    if complaints.found or found is None:
        raise BadInput("; ".join(why for _, why in complaints.found))
    return found


def _check_together(root: yaml.Node, found: dict[str, Any], complaints: Complaints) -> None:
    goldens: tuple[Golden, ...] = found.get("goldens", ())
    if found.get("pooling") == "auto" and not any(golden.level == "sentence" for golden in goldens):
        complaints.add(root, "pooling is auto, but no golden of level sentence is there to decide by")
    if any(len(golden.first) > found.get("dimension", 65_536) for golden in goldens):
        complaints.add(root, f"a golden has more floats than the dimension, {found['dimension']}")
    if any(golden.tolerance <= 0 for golden in goldens):
        complaints.add(root, "the tolerance of a golden is to be above 0")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def load(name: str | Path, language: str | None = None) -> Recipe:
    """The recipe in a file, or the built-in one of that name. Raises NotFound, BadInput."""
    path = find(name, language)
    return parse(read_text(path), str(name) if path == Path(name) else f"{path.parent.name}/{path.name}")


def find(name: str | Path, language: str | None = None) -> Path:
    """The file of a recipe: ``name`` itself if it is a path, else the built-in one. Raises NotFound, BadInput."""
    if isinstance(name, Path) or name.endswith(SUFFIXES) or "/" in name:
        if not Path(name).is_file():
            raise NotFound(f"there is no recipe at {name}")
        return Path(name)
    matches = [lang for known, lang in builtin() if known == name and language in (None, lang)]
    if not matches:
        raise NotFound(f"{name!r}{f' ({language})' if language else ''} is not a built-in recipe.{_elsewhere(name)}")
    if len(matches) > 1:
        raise BadInput(f"{name!r} is a recipe in {', '.join(matches)}: name the language")
    return _home() / matches[0] / f"{name}.yaml"


def _elsewhere(name: str) -> str:
    """Where a recipe that was asked for is to be found, as a sentence."""
    languages = [language for known, language in builtin() if known == name]
    if languages:
        return f" It is there in: {', '.join(languages)}"
    return near_misses(name, {known for known, _ in builtin()}) or " See: wellread recipes list"


def builtin() -> list[tuple[str, str]]:
    """Names and languages of the recipes that come with the package, sorted."""
    return sorted((path.stem, path.parent.name) for path in _home().glob("*/*.yaml"))


def _home() -> Path:
    return Path(str(files("wellread"))) / "recipes"


def read_text(path: Path) -> str:
    """A recipe as it stands in its file. Raises BadInput for one that is not UTF-8."""
    try:
        with path.open("rb") as file:
            return file.read(read.MOST_BYTES + 1).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read as UTF-8 text: {error}") from error


class _Dumper(yaml.SafeDumper):
    """Block style, but short lists of scalars on one line."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: object) -> bool:
        return True


def _flat(dumper: yaml.SafeDumper, items: tuple[Any, ...] | list[Any]) -> yaml.Node:
    plain = all(isinstance(item, int | float) for item in items)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=plain)


_Dumper.add_representer(list, _flat)
_Dumper.add_representer(tuple, _flat)


def render(recipe: Recipe) -> str:
    """The recipe as YAML for people to read: keys in the order of ``_RECIPE``, empty ones and usual forms left out.

    ``parse(render(recipe)) == recipe``.
    """
    forms = () if recipe.forms == DEFAULT_FORMS else recipe.forms
    facts = msgspec.structs.asdict(recipe) | {
        "forms": forms,
        "sources": [_written(source) for source in recipe.sources],
        "goldens": [_ordered(_golden_facts(golden), _GOLDEN) for golden in recipe.goldens],
    }
    return yaml.dump(_ordered(facts, _RECIPE), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


def _ordered(facts: dict[str, Any], keys: dict[str, Key]) -> dict[str, Any]:
    blank = (facts[key] is None or facts[key] is False or facts[key] in ("", (), [], {}) for key in keys)
    return {key: facts[key] for key, is_blank in zip(keys, blank, strict=True) if not is_blank}


def _golden_facts(golden: Golden) -> dict[str, Any]:
    usual = golden.tolerance == TOLERANCE
    return msgspec.structs.asdict(golden) | {"tolerance": None if usual else golden.tolerance}


def _written(source: Source) -> str | dict[str, Any]:
    pins = {key: value for key, value in (("sha256", source.sha256), ("files", dict(source.files))) if value}
    return {"location": source.typed, **pins} if pins else source.typed
