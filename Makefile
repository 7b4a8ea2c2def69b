PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TOOLS := .venv-tools
DEMO := .venv-demo
LOCK := $(TOOLS)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --upgrade
# The extras that the tests try.
EXTRAS := cluster,geoip,http,s3
# pip of the tools, for an environment that holds nothing but what it is for.
PIP_OF := $(TOOLS)/bin/python -m pip --quiet --disable-pip-version-check --python
BUILD := $(TOOLS)/bin/python -m build --quiet --no-isolation
# What an installation gets that has the oldest releases which pyproject.toml allows.
LOWEST := $(TOOLS)/bin/uv pip compile --quiet --resolution lowest-direct --python-version 3.11 \
	--generate-hashes --no-header --no-annotate --no-emit-index-url
# With LOCKED=1, exactly what requirements/dev.txt names is installed, and nothing else.
LOCKED ?=
# The interpreters of make test-all.
PYTHONS ?= python3.11 python3.12 python3.13 python3.14
# Which service of advisories make audit asks, as options of pip-audit; PyPI's if empty.
ADVISORIES ?=

.PHONY: demo test test-all dist wheel-test binary binary-test \
	audit sbom lint-hosted fuzz lock bench bench-peers browser-test pages pictures site lint format clean

demo: $(DEMO)/.ready  ## Install smbrare alone, scan a shipped sample, and explain a finding.
	@echo 'Scanning a week of sample events for SMB connections to new addresses on the internet:'
	@echo '$$ smbrare scan fixtures/sample.ndjson'
	@$(DEMO)/bin/smbrare scan fixtures/sample.ndjson --no-baseline --exit-zero
	@echo
	@echo 'Why is the first of them a finding?'
	@echo '$$ smbrare explain fixtures/sample.ndjson:5'
	@$(DEMO)/bin/smbrare explain fixtures/sample.ndjson:5 --no-baseline
	@echo
	@echo 'Next: $(DEMO)/bin/smbrare scan YOUR-FILES'

test: lint  ## Check style, types and behaviour.
	$(BIN)/python -m pytest -q -n auto --dist loadgroup

test-all:  ## Run the tests on every interpreter of PYTHONS that is installed.
	@for each in $(PYTHONS); do \
		command -v $$each >/dev/null || { echo "$$each is not installed"; continue; }; \
		$$each -m venv .venv-all/$$each && \
		.venv-all/$$each/bin/python $(INSTALL) --upgrade 'pip>=25.1' && \
		.venv-all/$$each/bin/python $(INSTALL) --group dev --editable '.[$(EXTRAS)]' && \
		.venv-all/$$each/bin/python -m pytest -q -n auto --dist loadgroup || exit 1; \
	done

audit: $(READY) $(TOOLS)/.ready  ## Ask for known vulnerabilities of what is locked or allowed; check licences.
	$(TOOLS)/bin/pip-licenses --python $(BIN)/python --summary
	mkdir -p build
	$(LOWEST) --all-extras --group dev --group tools --output-file build/lowest.txt pyproject.toml
	@# One at a time: they may name different versions of a package.
	for each in requirements/*.txt build/lowest.txt; do \
		$(TOOLS)/bin/pip-audit --strict --disable-pip --require-hashes \
		--progress-spinner off --requirement $$each $(ADVISORIES) || exit 1; done

fuzz: $(TOOLS)/.ready  ## Fuzz each target for FUZZ_SECONDS (60).
	$(TOOLS)/bin/python -m fuzz

lock: $(TOOLS)/.ready  ## Lock the newest releases that pyproject.toml allows, with their hashes.
	$(LOCK) --extra cluster --extra geoip --extra http --extra s3 --group dev \
		--output-file requirements/dev.txt pyproject.toml
	$(LOCK) --extra geoip --extra http --extra s3 --output-file requirements/run.txt pyproject.toml
	$(LOCK) --group tools --output-file requirements/tools.txt pyproject.toml

dist: $(TOOLS)/.ready  ## Build source archive and wheel, the same bytes anywhere, and check them.
	rm -rf dist build/again
	@# Once by way of the archive, unpacked elsewhere; once from here, as another user would.
	$(BUILD) --outdir dist
	umask 077; TZ=Asia/Tokyo $(BUILD) --sdist --wheel --outdir build/again
	diff -r dist build/again
	$(TOOLS)/bin/twine check --strict dist/*
	$(TOOLS)/bin/check-wheel-contents dist/*.whl

wheel-test: dist  ## Run the tests on the wheel, with none of its sources in sight.
	rm -rf build/wheel && mkdir -p build/wheel
	tar -xzf dist/smbrare-*.tar.gz -C build/wheel --strip-components 1
	rm -r build/wheel/smbrare
	$(PYTHON) -m venv --without-pip build/wheel/.venv
ifeq ($(LOCKED),)
	$(PIP_OF) build/wheel/.venv/bin/python install --group test "$$(echo dist/*.whl)[$(EXTRAS)]"
else
	$(PIP_OF) build/wheel/.venv/bin/python install --require-hashes --requirement requirements/dev.txt
	$(PIP_OF) build/wheel/.venv/bin/python install --no-deps dist/*.whl
endif
	@# tests/project is of the repository.
	cd build/wheel && .venv/bin/python -c 'import smbrare, sys; print(smbrare.__file__); \
		sys.exit(not smbrare.__file__.startswith(sys.prefix))' && \
		.venv/bin/python -m pytest -q -n auto --dist loadgroup \
			--ignore tests/project --ignore tests/test_architecture.py

binary: dist  ## Build one executable, for machines like this one, with GeoIP and web addresses.
	rm -rf build/binary
	$(PYTHON) -m venv --without-pip build/binary/.venv
	$(PIP_OF) build/binary/.venv/bin/python install --require-hashes --requirement requirements/run.txt
	$(PIP_OF) build/binary/.venv/bin/python install --group binary
	@# By its name, since a path would be recorded in what is installed.
	$(PIP_OF) build/binary/.venv/bin/python install --no-deps --no-index --find-links dist smbrare
	build/binary/.venv/bin/pyinstaller --log-level ERROR --onefile --name smbrare \
		--distpath build/binary --workpath build/binary/work --specpath build/binary/work \
		--collect-submodules smbrare --collect-data smbrare --recursive-copy-metadata smbrare \
		--hidden-import maxminddb --hidden-import fsspec.implementations.http \
		build/binary/.venv/bin/smbrare
	ls -l build/binary/smbrare

binary-test: binary  ## Compare what the executable prints with what the wheel does.
	build/binary/.venv/bin/python -m tests.stress.binary build/binary/smbrare build/binary/.venv/bin/smbrare

sbom: dist  ## List what a user installs, in CycloneDX, as dist/smbrare.cdx.json.
	rm -rf build/user
	$(PYTHON) -m venv --without-pip build/user
	$(PIP_OF) build/user/bin/python install dist/*.whl
	$(TOOLS)/bin/cyclonedx-py environment --pyproject pyproject.toml --mc-type application \
		--output-reproducible --output-file dist/smbrare.cdx.json build/user

lint-hosted: $(TOOLS)/.ready  ## Check what runs elsewhere: the Dockerfile, the action, the workflow.
	$(TOOLS)/bin/hadolint Dockerfile
	$(TOOLS)/bin/zizmor --offline --quiet .

browser-test: $(READY)  ## Try the HTML report in an installed Chromium, with its driver.
	$(BIN)/python -m pytest -q browsertests

# What writes parts of pages, of man pages and of schemas, in order: each leaves the rest as it is.
PAGES := test_architecture outputs.test_schema project.test_schema_page project.test_exit_codes_page \
	project.test_man_pages project.test_readme project.test_pages project.test_watch_page \
	project.test_scale_page

pages: $(READY)  ## Write anew what README, pages, man pages and schemas show; the tests compare.
	@for each in $(PAGES); do $(BIN)/python -m tests.$$each || exit 1; done

pictures: $(READY)  ## Draw the pictures in docs/ anew; needs the same.
	$(BIN)/python docs/pictures.py

site: $(TOOLS)/.ready  ## Make a site of docs/ in site/; a broken link or anchor fails it.
	NO_MKDOCS_2_WARNING=1 $(TOOLS)/bin/mkdocs build --strict

bench: $(READY)  ## Measure speed and room, against the peers that are installed.
	$(PYTHON) -m venv .bench/installed
	.bench/installed/bin/python $(INSTALL) .
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
	rm -rf build dist site $(VENV) $(DEMO) $(TOOLS) .bench .fuzz .venv-bench .venv-all .mypy_cache .pytest_cache .ruff_cache .hypothesis

INSTALL := -m pip install --quiet --disable-pip-version-check

$(DEMO)/.ready: pyproject.toml $(shell find smbrare -name '*.py')
	@echo 'Installing smbrare, without development tools, into $(DEMO); this takes some seconds.'
	@$(PYTHON) -m venv $(DEMO)
	@$(DEMO)/bin/python $(INSTALL) .
	@touch $@

$(READY): pyproject.toml $(if $(LOCKED),requirements/dev.txt)
	$(PYTHON) -m venv $(VENV)
ifeq ($(LOCKED),)
	$(BIN)/python $(INSTALL) --upgrade 'pip>=25.1'
	$(BIN)/python $(INSTALL) --group dev --editable '.[$(EXTRAS)]'
else
	$(BIN)/python $(INSTALL) --require-hashes --requirement requirements/dev.txt
	$(BIN)/python $(INSTALL) --no-deps --no-build-isolation --editable .
endif
	touch $@

$(TOOLS)/.ready: requirements/tools.txt
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/python $(INSTALL) --require-hashes --requirement requirements/tools.txt
	touch $@
