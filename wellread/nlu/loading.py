"""From references to a pipeline.

    "en.embed.bert.small_L8_512 tiny"
      an alias in a hub          en.embed.bert.small_L8_512      one small request, none within the hub's ttl
      else with en. before it    en.tiny
      else a model's own name    tiny, in English

Recipes are not asked: what no hub has cannot be loaded. Where one would have that reference, the error says so.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

from wellread.annotators.limits import MAX_LENGTH
from wellread.annotators.words import TokenMode
from wellread.errors import BadInput, NotFound
from wellread.loader import RECIPES, pretrained
from wellread.nlu.inputs import check_choice
from wellread.nlu.options import AS_SPARK_NLP, Options
from wellread.nlu.pipeline import Part, Pipeline
from wellread.registry.resolve.references import DEFAULT, Meant, References
from wellread.registry.resolve.search import is_offline
from wellread.request import Verify, check_kinds

_LANGUAGE = "en"


def load(
    references: str,
    *,
    hub: str | Path | None = None,
    form: str = "auto",
    version: str | None = None,
    offline: bool | None = None,
    refresh: bool = False,
    trust: str | None = None,
    verify: Verify = "stat",
    device: str = "cpu",
    token_mode: TokenMode = AS_SPARK_NLP,
    max_length: int = MAX_LENGTH,
) -> Pipeline:
    """The pipeline of one or several references, as in ``"en.embed.bert.small_L8_512"``, with spaces between them.

    Each is an alias that a hub has, if need be with ``en.`` in front, or the name of a model. ``token_mode="sparknlp"``
    gives tokens the vectors that Spark NLP's BertEmbeddings gives, of the first ``max_length`` pieces of a sentence;
    ``"aligned"`` reads every sentence as it is written and to its end. The other options are those of ``pretrained``.

    Raises NotFound, naming near misses, and all that ``pretrained`` raises.
    """
    if not isinstance(references, str):
        kind = type(references).__name__
        raise BadInput(f"references is a {kind}: give a str such as 'en.embed.bert.small_L8_512', spaces between more")
    if "," in references:
        spaced = " ".join(references.replace(",", " ").split())
        raise BadInput(f"spaces part references, commas do not: load({spaced[:200]!r})")
    named = list(dict.fromkeys(references.split()))
    if not named:
        raise BadInput("references is empty: give one or more, such as 'en.embed.bert.small_L8_512'")
    check_kinds(hub=hub, offline=offline, refresh=refresh, trust=trust)
    check_choice("token_mode", token_mode, get_args(TokenMode))
    known = References(hub, is_offline() if offline is None else offline, trust)
    how = {"form": form, "version": version, "offline": offline, "trust": trust, "verify": verify, "device": device}
    parts = [_part(reference, known, how | {"refresh": refresh}) for reference in named]
    return Pipeline([*{part.reference: part for part in parts}.values()], Options(token_mode, max_length))


def _part(reference: str, known: References, how: dict[str, Any]) -> Part:
    if meant := known.find(reference, refresh=how["refresh"]):
        return _opened(meant, known, how)
    try:
        return Part(reference, pretrained(reference, _LANGUAGE, hub=known.hub, **how))
    except NotFound as error:
        # Copies said that there is no such alias, and may be out of date.
        if known.unsure and not known.offline and (late := known.find(reference, refresh=True)):
            return _opened(late, known, how)
        told = [str(error), *map(str, known.failed.values()), _recipe(reference) or known.instead(reference)]
        raise NotFound("\n".join(filter(None, told))) from error


def _recipe(reference: str) -> str:
    """What to do about a reference that a built-in recipe gives to its model; empty where none does.

    A recipe lists one a line: to parse YAML needs what only the press has.
    """
    lines = {f"  - {one}" for one in (reference, DEFAULT + reference) if "." in one}
    for path in sorted(RECIPES.glob("*/*.yaml")):
        if lines & set(path.read_text(encoding="utf-8").splitlines()):
            return f"A built-in recipe has it: wellread build {path.stem} (needs pip install 'wellread[press]')"
    return ""


def _opened(meant: Meant, known: References, how: dict[str, Any]) -> Part:
    """The model of the hub that said what is meant: another's of that name may be another model."""
    return Part(meant.reference, pretrained(meant.name, meant.language, hub=meant.hub or known.hub, **how))
