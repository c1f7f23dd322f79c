"""Imports run one way, heavy modules are imported where they are used, and loading needs none of them."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import wellread
from tests.registry.listening import listening
from tests.registry.samples import make_sample
from wellread.registry.hub.publish import publish
from wellread.registry.trust.keys import new_key
from wellread.registry.trust.policy import trusted

PACKAGE = Path(__file__).parents[1] / "wellread"

LAYERS = (
    "errors",
    "registry",
    "runtime",
    "annotators",
    "loader",
    "converters model_cards",
    "press",
    "bulk",
    "spark",
    "nlu",
    "cli",
)
"""From low to high; a part imports from lower layers only, never from its neighbour in the same layer."""
PARTS = {"assembly": "press", "request": "loader", "__main__": "cli"}
"""Modules that belong to a part of another name."""

ALLOWED = {
    "__init__": "",
    "errors": "",
    "registry": "msgspec filelock",
    "loader": "",
    "runtime": "msgspec numpy onnxruntime tokenizers tqdm",
    "annotators": "msgspec numpy tokenizers",
}
"""What a part that every consumer imports may import at the top of a module, the standard library apart."""
HOME_OF_TENSORFLOW = "oracle_process.py"

MODULES = sorted(PACKAGE.rglob("*.py"))


def _name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def _part(module: str) -> str:
    """``wellread.registry.names`` → ``registry``."""
    first = module.split(".")[1] if "." in module else "__init__"
    return PARTS.get(first, first)


def _part_of(path: Path) -> str:
    return _part(".".join(["wellread", *path.relative_to(PACKAGE).with_suffix("").parts]))


def _imported(tree: ast.AST) -> Iterator[str]:
    """Every module that a tree imports, in functions and under TYPE_CHECKING too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the direction"
            assert node.module
            both = node.module == "wellread"
            yield from (f"wellread.{alias.name}" if both else node.module for alias in node.names)


def _at_the_top(tree: ast.Module) -> Iterator[str]:
    """The modules that importing this one imports at once."""
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom | ast.Try | ast.With):
            yield from _imported(node)


def _layer(part: str) -> int:
    return next(number for number, parts in enumerate(LAYERS) if part in parts.split())


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_imports_run_one_way(path: Path) -> None:
    part = _part_of(path)
    if part == "__init__":
        return  # the public names, looked up when they are used
    ours = {_part(name) for name in _imported(ast.parse(path.read_bytes())) if name.split(".")[0] == "wellread"}
    wrong = {other for other in ours - {part, "__version__"} if _layer(other) >= _layer(part)}
    assert not wrong, f"{part} imports from {wrong}"


@pytest.mark.parametrize("path", [path for path in MODULES if _part_of(path) in ALLOWED], ids=_name)
def test_a_consumers_modules_begin_light(path: Path) -> None:
    names = {name.split(".")[0] for name in _at_the_top(ast.parse(path.read_bytes()))}
    foreign = names - set(sys.stdlib_module_names) - {"wellread"}
    assert foreign <= set(ALLOWED[_part_of(path)].split())


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_tensorflow_lives_in_a_process_of_its_own(path: Path) -> None:
    names = {name.split(".")[0] for name in _imported(ast.parse(path.read_bytes()))}
    assert "tensorflow" not in names or path.name == HOME_OF_TENSORFLOW


def _loaded_by(statement: str) -> set[str]:
    """The top-level modules that a statement brings into a fresh interpreter."""
    script = f"import sys; before = set(sys.modules); {statement}; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in done.stdout.split()}


def test_importing_the_package_imports_nothing_foreign() -> None:
    assert _loaded_by("import wellread") - set(sys.stdlib_module_names) == {"wellread"}


def test_loading_needs_none_of_the_heavy_modules() -> None:
    heavy = {"tensorflow", "torch", "onnx", "transformers", "pandas", "requests", "yaml", "jinja2", "huggingface_hub"}
    loaded = _loaded_by("import wellread.loader, wellread.runtime.model, wellread.runtime.goldens")
    assert {"numpy", "tokenizers", "msgspec"} <= loaded
    assert not loaded & heavy


def test_a_warm_load_over_the_network_needs_no_network_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a signed release behind a web server: everything that was needed once and is not needed again."""
    monkeypatch.setenv("WELLREAD_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("wellread.loader._prove", lambda *_: None)
    sample = make_sample(tmp_path)
    new_key()
    publish(sample.zip, sample.proof, tmp_path / "hub")
    with listening(tmp_path / "hub") as hub:
        folder = wellread.fetch("tiny", hub=hub.url)
        hub.taken()
        loaded = _loaded_by(f"import wellread; assert str(wellread.fetch('tiny', hub={hub.url!r})) == {str(folder)!r}")
        assert hub.taken() == []
    assert trusted(hub.url).first
    assert not loaded & {"requests", "filelock", "cryptography", "obstore", "zipfile", "numpy", "http", "ssl"}


def test_the_door_itself_needs_no_runtime() -> None:
    assert not _loaded_by("import wellread.loader") & {"numpy", "onnxruntime", "tokenizers"}


def test_the_public_names_are_there() -> None:
    for name in wellread.__all__:
        assert getattr(wellread, name) is not None
