"""Every threat of docs/security.md names its tests, and they exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
_ROW = re.compile(r"^\|.*\|$", re.MULTILINE)
_TEST = re.compile(r"`([\w/]+\.py)::(\w+)`")


def _tests_in(path: Path) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(path.read_bytes())) if isinstance(node, ast.FunctionDef)}


def _rows() -> list[str]:
    """The rows of the table of threats, its head left off."""
    page = (ROOT / "docs/security.md").read_text(encoding="utf-8")
    table = page.partition("## Threats")[2].partition("\n## ")[0]
    return _ROW.findall(table)[2:]


def test_every_threat_names_a_test() -> None:
    assert len(_rows()) >= 15
    assert not [row for row in _rows() if not _TEST.search(row)]


def test_every_test_that_is_named_exists() -> None:
    named = {(file, test) for row in _rows() for file, test in _TEST.findall(row)}
    missing = [f"{file}::{test}" for file, test in sorted(named) if test not in _tests_in(ROOT / "tests" / file)]
    assert not missing


def test_every_test_of_this_folder_is_named() -> None:
    page = (ROOT / "docs/security.md").read_text(encoding="utf-8")
    ours = [path for path in Path(__file__).parent.glob("test_*.py") if path.name != Path(__file__).name]
    tests = {test for path in ours for test in _tests_in(path) if test.startswith("test_")}
    assert not sorted(test for test in tests if test not in page)
