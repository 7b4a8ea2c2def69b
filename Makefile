PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test browser-test pictures lint format clean

demo: $(READY)  ## Scan a shipped sample and show what it finds.
	$(BIN)/smbrare scan fixtures/sample.ndjson --exit-zero

test: lint  ## Check style, types and behaviour.
	$(BIN)/python -m pytest -q -n auto

browser-test: $(READY)  ## Try the HTML report in an installed Chromium, with its driver.
	$(BIN)/python -m pytest -q browsertests

pictures: $(READY)  ## Draw the pictures in docs/ anew; needs the same.
	$(BIN)/python docs/pictures.py

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@
