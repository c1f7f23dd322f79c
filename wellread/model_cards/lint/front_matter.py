"""Rules about the front matter: keys that are missing, misspelled, or hold what they cannot hold."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from wellread.errors import BadInput, near_misses
from wellread.model_cards.lint.checked import Checked, Found, day_of, shown, version_in
from wellread.registry.names import Version, parse_lang, parse_name

_REQUIRED = (
    *("layout", "title", "author", "name", "date", "task", "language", "edition", "spark_version", "tags"),
    *("article_header", "use_language_switcher"),
)
_KNOWN = (
    *_REQUIRED,
    *("supported", "annotator", "engine", "recommended", "deprecated", "repository", "nav_key"),
    *(
        "license",
        "license_name",
        "license_link",
        "library_name",
        "pipeline_tag",
        "base_model",
        "model-index",
        "datasets",
        "metrics",
        "widget",
    ),
)
_NOT_SPDX = ("other", "unknown", "cc", "c-uda", "gfdl", "gpl", "lgpl", "odbl", "odc-by", "openrail", "pddl")
"""What Hugging Face's key ``license`` may say beside SPDX."""


def _missing_keys(checked: Checked) -> Found:
    if not checked.ends:
        yield 1, "there is no front matter: YAML between two lines of ---"
        return
    for key in _REQUIRED:
        if checked.card.keys.get(key) in (None, ""):
            line = checked.key_line(key) if key in checked.card.keys else 1
            yield line, f"the front matter has no {key!r}" if line == 1 else f"{key!r} is empty"


def _misspelled_keys(checked: Checked) -> Found:
    for key in checked.card.keys:
        if key not in _KNOWN and (meant := near_misses(key, set(_KNOWN) - set(checked.card.keys))):
            yield checked.key_line(key), f"no key is called {key!r}.{meant}"


def _repeated_keys(checked: Checked) -> Found:
    seen: set[str] = set()
    for number, line in enumerate(checked.lines[: checked.ends], 1):
        found = re.match(r"([A-Za-z_][\w-]*)\s*:", line)
        if found and found[1] in seen:
            yield number, f"{found[1]!r} is there twice: the last one counts"
        if found:
            seen.add(found[1])


def _is_header(value: Any) -> bool:
    return value is None or (isinstance(value, dict) and value.get("type") == "cover")


def _is_date(value: Any) -> bool:
    return day_of(value) is not None


def _is_tags(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(tag, str) and tag.strip() for tag in value)


def _all(parse: Callable[[str], Any]) -> Callable[[Any], bool]:
    """Whether a value, or each of a list, is one that ``parse`` takes."""

    def check(value: Any) -> bool:
        try:
            for each in value if isinstance(value, list) else [value]:
                parse(str(each))
        except BadInput:
            return False
        return True

    return check


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_reasoned_flag(value: Any) -> bool:
    return isinstance(value, bool | str)


def _has_version(value: Any) -> bool:
    return not re.match(r"(?i)spark\s*nlp", str(value)) or version_in(str(value)) is not None


_SHAPES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "layout": (lambda value: value == "model", "'model'"),
    "name": (_all(parse_name), "a name of letters, digits, '_', '-' and '.'"),
    "date": (_is_date, "a day such as 2020-08-25"),
    "language": (_all(parse_lang), "a language code such as en, or a list of them"),
    "edition": (_has_version, "an edition with its version, such as 'Spark NLP 2.6.0'"),
    "spark_version": (_all(Version.parse), "a version such as 2.4, or a list of them"),
    "tags": (_is_tags, "a list of words"),
    "article_header": (_is_header, "'type: cover'"),
    "supported": (_is_flag, "true or false"),
    "recommended": (_is_flag, "true or false"),
    "deprecated": (_is_reasoned_flag, "true, false or why"),
}
"""Key → what its value has to be, as a test and in words."""


def _shapes(checked: Checked) -> Found:
    for key, (fits, wanted) in _SHAPES.items():
        value = checked.card.keys.get(key)
        if value not in (None, "", []) and not fits(value):
            yield checked.key_line(key), f"{key}: {shown(value)} is not {wanted}"


def _licence(checked: Checked) -> Found:
    value = checked.card.keys.get("license")
    if isinstance(value, str) and value not in _NOT_SPDX and not _is_spdx(value):
        yield checked.key_line("license"), f"license: {shown(value)} is no SPDX expression such as Apache-2.0"


def _is_spdx(text: str) -> bool:
    """Whether it is an expression of SPDX; where nobody can tell, it is taken for one."""
    licensing = _licensing()
    if licensing is None or re.fullmatch(r"(?i)LicenseRef-[a-z0-9.-]+", text):
        return True
    try:
        return len(text) <= 200 and bool(licensing.parse(text, validate=True, strict=True))
    except Exception:  # its parser fails on "()" and the like with IndexError and others
        return False


@cache
def _licensing() -> Any:
    """The list of SPDX, or None: a card can be checked without the press."""
    try:
        from license_expression import get_spdx_licensing
    except ImportError:
        return None
    return get_spdx_licensing()


def _deprecation(checked: Checked) -> Found:
    keys, prose = checked.card.keys, [checked.card.description, *(section.body for section in checked.card.sections)]
    if keys.get("deprecated") is True and not any("deprecated" in text.lower() for text in prose):
        yield checked.key_line("deprecated"), "it is deprecated, and nowhere says why, or what to take in its place"
    if keys.get("deprecated") and keys.get("recommended"):
        yield checked.key_line("recommended"), "it is recommended and deprecated"


RULES = (_missing_keys, _misspelled_keys, _repeated_keys, _shapes, _licence, _deprecation)
