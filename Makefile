# Every target does its own set-up: a fresh clone needs python3 (3.11 or later) and make, no more.
#   make test ARGS="tests/eventlog -k conflict"     passes ARGS on, also for demo and bench
#   make faults FAULT_SEEDS=4,5                     throws other dice

PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.stamp
SETUP_LOG := $(VENV)/setup.log
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench fmt contracts lock faults mutants clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## .venv from requirements.lock; every other target does this by itself

demo: $(READY) ## the story of one district's day, on real servers, with the rebuild check
	@$(BIN)/waggle demo $(ARGS)

test: $(READY) ## every test but the long ones, on real servers
	@$(BIN)/pytest --quiet -n 2 --dist loadscope --no-loadscope-reorder $(ARGS)

check: $(READY) ## style, types, import rules, exported contracts; changes nothing
	@$(BIN)/ruff format --quiet --diff
	@$(BIN)/ruff check --quiet
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo >$(VENV)/imports.log || { cat $(VENV)/imports.log; exit 1; }
	@$(BIN)/waggle contracts check
	@echo "check: clean"

bench: $(READY) ## the figures, each beside its reference; one JSON object a line
	@$(BIN)/python -m bench $(ARGS)

fmt: $(READY) ## format, and mend what a tool can mend
	@$(BIN)/ruff format --quiet
	@$(BIN)/ruff check --quiet --fix

contracts: $(READY) ## export the contracts again and add the golden files of new shapes
	@$(BIN)/waggle contracts export docs/contracts
	@$(BIN)/python -m tests.contracts.keep

faults: $(READY) ## the long tests: servers and services killed again and again
	@$(BIN)/pytest -m "slow or cluster or faults" --timeout 1200 --hypothesis-profile long $(ARGS)

mutants: $(READY) ## change the ledger in one place after another: a test must notice each
	@nice $(BIN)/python -m tests.points.mutants $(ARGS)

lock: $(READY) ## resolve the dependencies again
	@$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
		--generate-hashes --no-header --quiet --output-file requirements.lock >/dev/null

clean: ## remove what set-up and checks made; the house's data in ./var stays
	@rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or later is needed; name one: make PYTHON=python3.11 $(MAKECMDGOALS)"; \
		exit 2; }
	@echo "setting up $(VENV), once; this takes a minute" >&2
	@mkdir -p $(VENV)
	@{ { test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV); } \
		&& $(BIN)/pip install --no-input --disable-pip-version-check --require-hashes -r requirements.lock \
		&& $(BIN)/pip install --no-input --disable-pip-version-check --no-deps --no-build-isolation -e . ; \
		} >$(SETUP_LOG) 2>&1 || { \
		grep -v ' Expected  *or ' $(SETUP_LOG) | tail -n 30; echo "set-up failed; the whole log is in $(SETUP_LOG)"; exit 2; }
	@touch $@
