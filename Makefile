# Every verb installs what it needs, once: into .venv, and the Node SDK beside its journey.
PYTHON ?= python3
BIN := .venv/bin
NODE := tests/conformance/node
# Half of the tests wait for something most of the time.
WORKERS := $(shell echo $$((2 * $$(getconf _NPROCESSORS_ONLN))))
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Without bytecode, every process that a test starts compiles the package anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install demo test test-long short-drill drill bench bench-full check format clean

help: ## show these verbs
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1\t\2/' | expand -t 12

install: .venv/installed ## install the project and its tools into .venv

.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: make PYTHON=python3.12 …"; exit 1; }
	@echo "Installing into .venv (once; it takes about a minute)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --editable '.[dev]'
	@touch .venv/installed

$(NODE)/node_modules/.package-lock.json: $(NODE)/package-lock.json
	@cd $(NODE) && npm ci --ignore-scripts --no-audit --no-fund --silent || \
		echo "The Node SDK could not be installed: its journey will be skipped"

demo: install ## run the main job on embedded defaults; ends by itself
	@$(BIN)/receiver demo

test: install $(NODE)/node_modules/.package-lock.json ## run the tests (drills and matrices apart)
	@$(BIN)/pytest -n $(WORKERS) --dist worksteal -m "not long and not drill"

test-long: install $(NODE)/node_modules/.package-lock.json ## run every test, drills and matrices too
	@$(BIN)/pytest -n $(WORKERS) --dist worksteal

short-drill: install ## run the drills: processes killed and cut off, every page looked at; as CI does
	@$(BIN)/pytest -n $(WORKERS) --dist worksteal -m drill

drill: install ## break everything for ten minutes, then count what was lost, missing or doubled
	@$(BIN)/receiver drill --minutes 10 --kill9

bench: install ## measure against peers, in a quarter of an hour: a table, and build/bench.json (docs/benchmarks.md)
	@$(BIN)/python -m benchmarks

bench-full: install ## the same in longer rounds, then every other benchmark (benchmarks/README.md): an hour or two
	@failed=; $(BIN)/python -m benchmarks --full || failed=1; \
	for name in sandbox gateway polling \
		"admin --rows 10000 --key all --calls 50 --seconds 0.5" exports; do \
		echo "benchmarks.$$name"; $(BIN)/python -m benchmarks.$$name || failed=1; \
	done; test -z "$$failed"

check: install ## check format, lint, types and imports
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: install ## format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

clean: ## remove what the verbs made
	rm -rf .venv $(NODE)/node_modules build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
