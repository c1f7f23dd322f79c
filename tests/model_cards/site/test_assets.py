"""Scripts and styles in a folder that is named after what they say."""

from __future__ import annotations

from pathlib import Path

from tests.registry.samples import write_files
from wellread.model_cards.site.pages.assets import gather


def test_other_bytes_have_another_address(tmp_path: Path) -> None:
    static = write_files(tmp_path / "static", {"site.css": b"a", "demo/run.js": b"b", "demo/package-lock.json": b"c"})
    wasm = write_files(tmp_path / "other", {"ort.wasm": b"d"}) / "ort.wasm"
    assets = gather({"demo/vendor/ort.wasm": wasm}, static)
    assert list(assets.files) == ["demo/run.js", "demo/vendor/ort.wasm", "site.css"]
    assert dict(assets.paths())[f"{assets.folder}/site.css"].read_bytes() == b"a"
    (static / "demo/package-lock.json").write_bytes(b"e")
    assert gather({"demo/vendor/ort.wasm": wasm}, static).folder == assets.folder
    assert gather({}, static).folder != assets.folder
    wasm.write_bytes(b"f")
    assert gather({"demo/vendor/ort.wasm": wasm}, static).folder != assets.folder


def test_the_packages_own_are_scripts_and_styles() -> None:
    assets = gather({})
    assert {"site.css", "copy.js", "favicon.svg"} <= set(assets.files)
    assert not [name for name in assets.files if name.endswith((".json", ".py"))]
