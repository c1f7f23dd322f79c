"""Rules about what stands below the front matter: sections, and the name wherever it is printed."""

from __future__ import annotations

import re
from pathlib import PurePath

from wellread.errors import near_misses
from wellread.model_cards.card import Tab
from wellread.model_cards.layout import DESCRIPTION, INFORMATION, PARTS, ROWS, USAGE, spelled
from wellread.model_cards.lint.checked import Checked, Found, day_of, shown


def _missing_sections(checked: Checked) -> Found:
    card = checked.card
    parts = {
        DESCRIPTION: (card.description, "no text"),
        USAGE: (card.usage or card.tabs, "no snippet"),
        INFORMATION: (card.information, "no rows"),
    }
    for title, (content, lack) in parts.items():
        if not content:
            line = checked.heading_line(title)
            yield line, f"there is no section {title!r}" if line == 1 else f"the section {title!r} has {lack}"


def _empty_sections(checked: Checked) -> Found:
    for section in checked.card.sections:
        if not section.body.strip():
            yield checked.heading_line(section.title), f"the section {section.title!r} is empty"


def _misspelled(checked: Checked) -> Found:
    for line, label in checked.labels:
        if (known := spelled(label, ROWS)).lower() != label.lower():
            yield line, f"the row {label!r} is spelled {known!r}"
    for line, title in checked.headings:
        if (known := spelled(title, PARTS)) != title:
            yield line, f"the section {title!r} is spelled {known!r}"


# ---------------------------------------------------------------- the name


def _name_in_rows(checked: Checked) -> Found:
    printed, name = checked.rows.get("model name", ""), checked.card.name
    if printed and name and printed != name:
        yield checked.row_line("Model Name"), f"{_other_name(printed, name)} in Model Information"


def _name_in_snippets(checked: Checked) -> Found:
    """A snippet may load others beside it, such as the detector of sentences that it needs."""
    name, languages = checked.card.name, checked.languages
    for tab, calls in ((tab, _calls(tab)) for tab in checked.card.tabs):
        others = [call for call in calls if call[0] != name]
        if name and others and len(others) == len(calls):
            loaded = next((call[0] for call in others if "".join(call[0].split()) == name), others[-1][0])
            yield _code_line(checked, loaded), f"{_other_name(loaded, name)} in the snippet {tab.title!r}"
        for loaded, language in calls:
            if loaded == name and language and languages and language not in languages:
                told = f"asks for the language {language!r}, the card is in {shown(sorted(languages))}"
                yield _code_line(checked, loaded, language), f"the snippet {tab.title!r} {told}"


def _name_of_file(checked: Checked) -> Found:
    """A post of the founding hub is called ``2020-08-25-small_bert_L8_512_en.md``."""
    found = re.fullmatch(r"(\d{4}-\d{2}-\d{2})-(.+)\.md", PurePath(checked.where).name)
    if found is None or not checked.card.name:
        return
    name, day = checked.card.name, day_of(checked.card.keys.get("date"))
    known = {*checked.languages, "-".join(checked.card.languages)}
    if found[2] not in {name, *(f"{name}_{language}" for language in known)}:
        yield checked.key_line("name"), f"the card is about {name!r}, its file is called after {found[2]!r}"
    if day and found[1] != str(day):
        yield checked.key_line("date"), f"the date is {day}, its file says {found[1]}"


def _reference(checked: Checked) -> Found:
    """``nlu.load("en.embed.bert.small_L8_512")`` has to be a reference that the model has."""
    if checked.manifest is None:
        return
    known = {*checked.manifest.aliases, checked.manifest.name}
    for tab in checked.card.tabs:
        for reference in re.findall(r"\b(?:nlu|wellread)\.load\(\s*['\"]([^'\"\n]+)['\"]", tab.code):
            for part in set(reference.split()) - known:
                line = _code_line(checked, reference)
                yield line, f"{part!r} is no reference of this model.{near_misses(part, known)}"


_CALL = re.compile(
    r"\b(?:pretrained|fetch)\(\s*(?:name\s*=\s*)?['\"]([^'\"\n]*)['\"](?:\s*,\s*(?:lang\s*=\s*)?['\"]([^'\"\n]*)['\"])?"
)


def _calls(tab: Tab) -> list[tuple[str, str]]:
    """The models that a snippet loads: name and language, which may be left out."""
    return [(name, language) for name, language in _CALL.findall(tab.code)]


def _code_line(checked: Checked, *literals: str) -> int:
    return checked.line(".*".join(rf"['\"]{re.escape(literal)}['\"]" for literal in literals), checked.ends)


def _other_name(printed: str, name: str) -> str:
    if "".join(printed.split()) == "".join(name.split()):
        return f"{printed!r} has a stray space"
    return f"the card is about {name!r}, but it says {printed!r}"


RULES = (_missing_sections, _empty_sections, _misspelled, _name_in_rows, _name_in_snippets, _name_of_file, _reference)
