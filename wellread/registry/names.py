"""Names, languages, versions and digests, parsed once at the edge.

The name of an artifact says what it is:

    small_bert_L8_512_en_2.6.0_2.4_1598344705269.zip
    └ name ─────────┘ │  │     │   └ moment, milliseconds since 1970 UTC
                      │  │     └ Spark version
                      │  └ library version
                      └ language

Names hold underscores, the other parts do not, so it is read from the right. A missing version is an empty part, as
Spark NLP's hub writes it. For every value here ``str(parse(s)) == s``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NewType

from wellread.errors import BadInput

ModelName = NewType("ModelName", str)
Lang = NewType("Lang", str)
Folder = NewType("Folder", str)
Digest = NewType("Digest", str)
"""A sha256 as 64 lower-case hexadecimal digits."""

DEFAULT_FOLDER = Folder("public/models")

FIRST_MOMENT, LAST_MOMENT = 946_684_800_000, 4_102_444_800_000
"""2000 and 2100 in milliseconds: a moment given in seconds or microseconds falls outside."""
RESERVED = ("index", "aliases", "hub.json", "catalog.jsonl")
"""What a hub's own files begin with."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,127}")
_LANG = re.compile(r"[a-z]{2,8}(-[A-Za-z0-9]{2,8})*")
_VERSION = re.compile(r"(0|[1-9][0-9]{0,8})(\.(0|[1-9][0-9]{0,8})){0,5}")
_MOMENT = re.compile(r"0|[1-9][0-9]{0,14}")
_FOLDER = re.compile(r"[A-Za-z0-9_@][A-Za-z0-9_.\-]*(/[A-Za-z0-9_][A-Za-z0-9_.\-]*)*")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_DEVICES = {"con", "prn", "aux", "nul", *(f"{d}{n}" for d in ("com", "lpt") for n in range(1, 10))}


def parse_name(text: str) -> ModelName:
    """A model name: letters, digits, ``_``, ``-``, ``.``; at most 128; no Windows device. Raises BadInput."""
    return ModelName(_file_name(text, "a model name"))


def parse_reference(text: str) -> str:
    """An alias or NLU reference such as ``en.embed.bert.small_L8_512``: the same letters. Raises BadInput."""
    return _file_name(text, "a reference")


def _file_name(text: str, what: str) -> str:
    """A text that can name a file on every system."""
    if not _NAME.fullmatch(text) or _is_odd(text):
        raise BadInput(
            f"{text[:200]!r} is not {what}: use up to 128 letters, digits, '_', '-' and '.', starting with a letter or "
            "digit"
        )
    return text


def _is_odd(part: str) -> bool:
    """Whether Windows takes a part of a path for something else: a device, or the same without its last dot."""
    return part.endswith(".") or part.partition(".")[0].lower() in _DEVICES


def parse_lang(text: str) -> Lang:
    """A language code such as ``en``, ``xx`` (many) or ``zh-Hans``; at most 35 characters (RFC 5646, 4.4.1).

    Raises BadInput.
    """
    if not _LANG.fullmatch(text) or len(text) > 35:
        raise BadInput(
            f"{text[:200]!r} is not a language code: use one like 'en', 'zh-Hans', or 'xx' for many languages"
        )
    return Lang(text)


def parse_folder(text: str) -> Folder:
    """A hub's folder such as ``public/models``: relative, POSIX, no ``..``, none of ``RESERVED``, no Windows device.

    Raises BadInput.
    """
    parts = text.split("/")
    if not _FOLDER.fullmatch(text) or any(map(_is_odd, parts)) or parts[0].lower() in RESERVED:
        raise BadInput(
            f"{text[:200]!r} is not a folder of a hub: use one like 'public/models', relative, no '..', no Windows "
            f"device; {', '.join(RESERVED)} are the hub's own"
        )
    return Folder(text)


def parse_digest(text: str) -> Digest:
    """A sha256 in lower-case hexadecimal. Raises BadInput."""
    if not _DIGEST.fullmatch(text):
        raise BadInput(f"{text[:200]!r} is not a sha256: 64 lower-case hexadecimal digits are expected")
    return Digest(text)


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A version as a tuple of integers, so that 3.4.10 is later than 3.4.2."""

    parts: tuple[int, ...]

    @classmethod
    def parse(cls, text: str) -> Version:
        """``"2.6.0"`` → ``Version((2, 6, 0))``. Raises BadInput."""
        if not _VERSION.fullmatch(text):
            raise BadInput(f"{text[:200]!r} is not a version: use numbers and dots, like '2.6.0'")
        return cls(tuple(int(part) for part in text.split(".")))

    def __str__(self) -> str:
        return ".".join(map(str, self.parts))

    def admits(self, found: Version) -> bool:
        """Whether a client of this version opens a release made for ``found``.

        Spark NLP's rule: ``found`` has no more parts than the client's version and is not later.
        """
        return len(found.parts) <= len(self.parts) and found.parts <= self.parts


@dataclass(frozen=True, slots=True)
class ReleaseId:
    """What tells one release of a model from another: ``2.6.0_2.4_1598344705269``."""

    library: Version | None
    spark: Version | None
    time: int

    @classmethod
    def parse(cls, text: str) -> ReleaseId:
        """The inverse of ``str``. Raises BadInput."""
        parts = text.split("_")
        if len(parts) != 3 or not _MOMENT.fullmatch(parts[2]):
            raise BadInput(f"{text[:200]!r} is not a release id: use one like '2.6.0_2.4_1598344705269'")
        library, spark = (Version.parse(part) if part else None for part in parts[:2])
        return cls(library, spark, int(parts[2]))

    def __str__(self) -> str:
        return f"{self.library or ''}_{self.spark or ''}_{self.time}"

    @property
    def order(self) -> tuple[tuple[int, ...], tuple[int, ...], int]:
        """The key releases are chosen by: (Spark version, library version, moment), the last wins."""
        return (self.spark.parts if self.spark else (), self.library.parts if self.library else (), self.time)


@dataclass(frozen=True, slots=True)
class ArtifactName:
    """The parts of an artifact's file name, ``.zip`` left off by ``stem`` and kept by ``str``."""

    name: ModelName
    language: Lang
    release: ReleaseId

    @classmethod
    def parse(cls, file: str) -> ArtifactName:
        """Read a file name from the right. Raises BadInput."""
        parts = file.removesuffix(".zip").rsplit("_", 4)
        if not file.endswith(".zip") or len(parts) != 5:
            raise BadInput(f"{file!r} is not an artifact's name: NAME_LANG_LIBRARY_SPARK_MILLISECONDS.zip is expected")
        name, language, *release = parts
        return cls(parse_name(name), parse_lang(language), ReleaseId.parse("_".join(release)))

    @property
    def stem(self) -> str:
        return f"{self.name}_{self.language}_{self.release}"

    def __str__(self) -> str:
        return f"{self.stem}.zip"
