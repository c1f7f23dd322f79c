"""The wheel, as a consumer gets it: built, installed bare into an environment of its own, and used without the press.

    python tests/wheel.py      (make test-wheel)

A model is pressed here, with everything; the bare environment has no TensorFlow, PyTorch, onnx or pandas, loads it
from the hub and must give the same vectors.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).parent.parent
MODEL = "small_bert_L2_128_bleurt"

CONSUMER = f"""
import importlib.util, json, sys
import wellread
heavy = ("tensorflow", "torch", "onnx", "transformers", "pandas", "jinja2", "safetensors")
found = [name for name in heavy if importlib.util.find_spec(name)]
assert not found, f"the bare environment has {{found}}"
vector = wellread.pretrained("{MODEL}", "en", hub=sys.argv[1]).encode("I love NLP")
print(json.dumps(vector.tolist()))
"""


def run(*command: object, home: Path) -> str:
    """Run a command with a home of its own; its output is shown where it fails."""
    environment = {**os.environ, "WELLREAD_HOME": str(home)}
    done = subprocess.run([*map(str, command)], env=environment, cwd=home, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        home, hub, bare = place / "home", place / "hub", place / "bare"
        home.mkdir()
        run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", place, ROOT, home=home)
        (wheel,) = place.glob("wellread-*.whl")
        venv.create(bare, with_pip=True)
        run(bare / "bin/pip", "install", "--quiet", "--constraint", ROOT / "constraints.txt", wheel, home=home)
        run(sys.executable, "-m", "wellread", "build", MODEL, "--hub", hub, home=home)
        theirs = json.loads(run(bare / "bin/python", "-c", CONSUMER, hub, home=place / "home"))
        ours = json.loads(
            run(sys.executable, "-m", "wellread", "embed", MODEL, "I love NLP", "--hub", hub, "--json", home=home)
        )
        assert max(abs(a - b) for a, b in zip(theirs, ours[0]["vector"], strict=True)) < 1e-5
        listed = run(bare / "bin/wellread", "list", "--hub", hub, home=home)
        assert MODEL in listed
        assert "Make one" in run(bare / "bin/wellread", "--help", home=home)
        size = sum(path.stat().st_size for path in bare.rglob("*") if path.is_file())
        sys.stdout.write(
            f"{wheel.name}: the same vectors without the press, {size / 1e6:.0f} MB installed\n1 passed, 0 failed\n"
        )


if __name__ == "__main__":
    main()
