PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test bench bench-peers browser-test pictures lint format clean

demo: $(READY)  ## Scan a shipped sample and show what it finds.
	$(BIN)/smbrare scan fixtures/sample.ndjson --exit-zero

test: lint  ## Check style, types and behaviour.
	$(BIN)/python -m pytest -q -n auto

browser-test: $(READY)  ## Try the HTML report in an installed Chromium, with its driver.
	$(BIN)/python -m pytest -q browsertests

pictures: $(READY)  ## Draw the pictures in docs/ anew; needs the same.
	$(BIN)/python docs/pictures.py

bench: $(READY)  ## Measure speed and room, against the peers that are installed.
	$(BIN)/python -m bench.run

bench-peers:  ## Install the peers that are Python packages, in an environment of their own.
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet duckdb polars eql

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) .bench .venv-bench .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@
