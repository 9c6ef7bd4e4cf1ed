# Every target sets up what it needs; Python 3.11 or newer, make and git are enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ASL := tests/template/asl
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help demo test check format clean
help: ## list the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

$(VENV)/ready: requirements.txt requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed: make PYTHON=...")'
	@echo "Setting up $(VENV), which takes a minute or two"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

# The validator of the States Language; Node.js is the virtual environment's, and trusts whom the system trusts.
$(ASL)/node_modules/ready: $(ASL)/package.json $(ASL)/package-lock.json $(ASL)/.npmrc $(VENV)/ready
	NODE_USE_SYSTEM_CA=1 $(BIN)/npm --prefix $(ASL) ci --loglevel error
	touch $@

demo: $(VENV)/ready ## drain an address on the embedded cloud, and watch
	$(BIN)/natdrain-sim demo

test: $(VENV)/ready ## run every test
	$(BIN)/pytest -n auto --dist loadfile

# The template's checks are pytest files too, but named so that `make test` leaves them to this target.
check: $(VENV)/ready $(ASL)/node_modules/ready ## format, lint, types, import rules, template
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q tests/template/check_*.py

format: $(VENV)/ready ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## remove everything that was set up or built
	rm -rf $(VENV) .cache cdk.out $(ASL)/node_modules
