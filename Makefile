# Every target sets up what it needs; Python 3.11 or newer, make and git are enough.
# In full, since the virtual environment's own stands first on the path below.
PYTHON := $(shell command -v $(or $(PYTHON),python3))
VENV := .venv
BIN := $(VENV)/bin
# What a deployment chooses: make deploy CONFIG=FILE; without it natdrain.toml, if there is one, else the defaults.
CONFIG ?=
CDK := node_modules/.bin/cdk
CONTEXT := $(if $(CONFIG),--context natdrain:config=$(CONFIG))
export PATH := $(CURDIR)/$(BIN):$(PATH)
# uv does not read pip's configuration: it uses the index that pip uses, and trusts whom the system trusts, as npm does.
export UV_DEFAULT_INDEX ?= $(shell cat $(VENV)/index 2>/dev/null)
export UV_SYSTEM_CERTS ?= 1
export NODE_USE_SYSTEM_CA ?= 1

.PHONY: help demo test test-deep check prove prove-mutants play bench verify-aws history synth deploy cdk package docs format clean
help: ## list the targets
	@echo "make TARGET; the first run installs what it needs, in $(VENV)"
	@sed -nE 's/^##@ (.*)/\n\1/p; s/^([a-z-]+):.*## (.*)/  \1\t\2/p' Makefile | expand -t 18

# pip only installs uv, which is faster with the rest. Debian's Python may lack pip, but has the means to install it.
$(VENV)/ready: requirements.txt requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed: make PYTHON=...")'
	@echo "Setting up $(VENV) with uv: about half a minute the first time"
	@$(PYTHON) -m venv --without-pip $(VENV)
	@if $(PYTHON) -c 'import pip' 2>/dev/null; then pip="$(PYTHON) -m pip --python $(BIN)/python"; \
	  else $(BIN)/python -m ensurepip && pip="$(BIN)/python -m pip"; fi && \
	  $$pip config list | sed -nE "s/.*\.index-url='(.*)'/\1/p" | head -1 >$(VENV)/index && \
	  echo "Installing uv with pip" && \
	  $$pip install --disable-pip-version-check --constraint requirements.txt uv
	@echo "Installing what requirements-dev.txt names with uv"
	@$(BIN)/uv pip install --python $(BIN)/python -r requirements-dev.txt
	@$(BIN)/uv pip install --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

# The CDK's command line, the validator of the States Language, and a simulator of IAM, on the environment's own Node.js.
node_modules/ready: package.json package-lock.json .npmrc $(VENV)/ready
	@echo "Installing the tools that run on Node.js, in node_modules: about ten seconds"
	$(BIN)/npm ci --loglevel error
	@touch $@

##@ Try it
demo: $(VENV)/ready ## drain an address on the embedded cloud, and watch
	$(BIN)/natdrain-sim demo

##@ Check it
test: $(VENV)/ready ## run the tests, as before each commit
	$(BIN)/pytest -q -n auto --dist loadfile -m "not deep"

test-deep: $(VENV)/ready ## run the tests of the tests: sabotage, the proof's paths, verify-aws, the asset built twice
	$(BIN)/pytest -q -n auto --dist loadfile -m deep

# The template's checks are pytest files too, but named so that `make test` leaves them to this target.
check: $(VENV)/ready node_modules/ready ## format, lint, types, import rules, template
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	@echo "Checking types: about half a minute the first time"
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q -n auto --dist loadfile tests/infra/check_*.py

prove: $(VENV)/ready ## make every AWS call fail in every way; about half an hour
	PYTHONPATH=tests $(BIN)/python -m proof.prove --write docs/reliability.md

prove-mutants: $(VENV)/ready ## put deliberate faults into copies of the code, and check that the proof finds them
	PYTHONPATH=tests $(BIN)/python -m proof.mutants

play: $(VENV)/ready ## play fresh seeds of the random game (MINUTES=1), or one again (SEED=)
	PYTHONPATH=tests $(BIN)/python -m proof.games $(if $(SEED),--seed $(SEED)) $(if $(MINUTES),--minutes $(MINUTES))

bench: $(VENV)/ready ## measure looks, cold starts and the embedded cloud; one to two minutes
	$(BIN)/python -m benchmarks

verify-aws: $(VENV)/ready ## check the embedded cloud's facts in your own AWS account; asks first (ARGS=...)
	PYTHONPATH=tests $(BIN)/python tests/sim/facts/verify_aws.py $(ARGS)

##@ Deploy and operate it
history: $(VENV)/ready ## list which gateway had which address when (ARGS="--ip 203.0.113.7", "--gateway nat-...")
	@$(BIN)/python tools/natdrain_cli/history.py $(ARGS)

synth: $(VENV)/ready node_modules/ready ## make the template, in cdk.out (CONFIG=FILE)
	@echo "Making the template, and bundling the functions if they changed: about fifteen seconds"
	$(CDK) synth --quiet $(CONTEXT)
	@echo "cdk.out/Natdrain.template.json"

deploy: $(VENV)/ready node_modules/ready ## deploy (CONFIG=FILE, ARGS=... for the CDK)
	$(CDK) deploy $(CONTEXT) $(ARGS)

cdk: $(VENV)/ready node_modules/ready ## run any other command of the CDK (ARGS=destroy)
	$(CDK) $(ARGS) $(CONTEXT)

package: synth ## make a plain template and its asset, in dist (CONFIG=FILE)
	rm -rf dist
	$(BIN)/python -m infra.asset.package cdk.out dist

##@ Work on the code
docs: $(VENV)/ready ## write the generated parts of the documents
	PYTHONPATH=.:tools $(BIN)/python -m documents.write

format: $(VENV)/ready ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## remove everything that was set up or built
	rm -rf $(VENV) .cache cdk.out dist node_modules
