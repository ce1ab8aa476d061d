# Works with make and Python 3.11 or newer alone; `make lock` also wants uv.

VENV ?= .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
RUNNABLE := $(VENV)/.runnable
TESTABLE := $(VENV)/.testable
# The tests of a file share its servers, and wait for them more than they compute.
APART := --dist loadscope --no-loadscope-reorder
LOCK := uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --upgrade --quiet

.DEFAULT_GOAL := help
.PHONY: help demo test test-all lint bench bench-incidents docs lock

help:
	@echo 'make demo      serve a made-up shop with three weeks of telemetry'
	@echo 'make test      the tests of a few minutes'
	@echo 'make test-all  the slow tests too'
	@echo 'make lint      style, types, import directions, generated dashboards and rules'
	@echo 'make bench     the benchmarks, one after the other; make bench-incidents those of incidents'
	@echo 'make docs      write the reference pages from the code'
	@echo 'make lock      resolve the dependencies anew (wants uv)'

demo: $(RUNNABLE)
	@$(BIN)/driftband demo

test: $(TESTABLE)
	$(BIN)/pytest -m 'not slow' -n 3 $(APART)

test-all: $(if $(TESTED),,test)
	$(BIN)/pytest -m slow -n 4 $(APART)

lint: $(TESTABLE)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/driftband dashboards build --check
	$(BIN)/driftband grafana build --check

bench: $(TESTABLE)
	@set -e; for script in $(sort $(wildcard tests/benchmarks/bench_*.py)); do \
		echo "== $$script"; $(BIN)/python "$$script"; \
	done

bench-incidents: $(TESTABLE)
	@$(BIN)/python tests/benchmarks/bench_incidents.py
	@$(BIN)/python tests/benchmarks/bench_calm.py
	@$(BIN)/python tests/benchmarks/bench_disturbed.py

docs: $(TESTABLE)
	@$(BIN)/python docs/reference.py

lock:
	@command -v uv >/dev/null || { echo 'make lock wants uv: https://docs.astral.sh/uv/' >&2; exit 1; }
	$(LOCK) --output-file requirements.lock
	$(LOCK) --group dev --constraint requirements.lock --output-file requirements-dev.lock

$(RUNNABLE): requirements.lock pyproject.toml | $(BIN)/pip
	@echo 'Installing driftband into $(VENV), once; it takes a minute or a few ...'
	@$(PIP_INSTALL) --require-hashes -r requirements.lock
	@$(PIP_INSTALL) --no-deps -e .
	@touch $@

$(TESTABLE): requirements-dev.lock pyproject.toml | $(BIN)/pip
	@echo 'Installing driftband and the tools into $(VENV) ...'
	@$(PIP_INSTALL) --require-hashes -r requirements-dev.lock
	@$(PIP_INSTALL) --no-deps -e .
	@touch $@

# A name on the path may be a version manager's stand-in, or lack venv as on Debian: each is tried, not only looked up.
$(BIN)/pip:
	@for python in $(PYTHON) python3.13 python3.12 python3.11 python3; do \
		if $$python -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
			exec $$python -m venv $(VENV); \
		fi; \
	done; \
	echo 'driftband wants Python 3.11 or newer with its venv module (Debian and Ubuntu: apt install python3-venv);' >&2; \
	echo 'if it is not on the path, name it: make PYTHON=/path/to/python3 ...' >&2; exit 1
