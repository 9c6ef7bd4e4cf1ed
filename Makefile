# Every target sets up what it needs; Python 3.11 or newer, make and git are enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# What a deployment chooses: make deploy CONFIG=FILE; without it natdrain.toml, if there is one, else the defaults.
CONFIG ?=
CDK := node_modules/.bin/cdk
CONTEXT := $(if $(CONFIG),--context natdrain:config=$(CONFIG))
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help demo test check prove prove-mutants bench verify-aws history synth deploy cdk package docs format clean
help: ## list the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

$(VENV)/ready: requirements.txt requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed: make PYTHON=...")'
	@echo "Setting up $(VENV), which takes a minute or two"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

# The CDK's command line, the validator of the States Language, and a simulator of IAM. Node.js is the virtual environment's, and trusts
# whom the system trusts.
node_modules/ready: package.json package-lock.json .npmrc $(VENV)/ready
	NODE_USE_SYSTEM_CA=1 $(BIN)/npm ci --loglevel error
	touch $@

demo: $(VENV)/ready ## drain an address on the embedded cloud, and watch
	$(BIN)/natdrain-sim demo

test: $(VENV)/ready ## run every test
	$(BIN)/pytest -n auto --dist loadfile

# The template's checks are pytest files too, but named so that `make test` leaves them to this target.
check: $(VENV)/ready node_modules/ready ## format, lint, types, import rules, template
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q tests/infra/check_*.py

prove: $(VENV)/ready ## spoil every AWS call and see that all ends well; about a quarter of an hour
	PYTHONPATH=tests $(BIN)/python -m proof.prove --write docs/reliability.md

prove-mutants: $(VENV)/ready ## put deliberate faults into copies of the code, which the proof must find
	PYTHONPATH=tests $(BIN)/python -m proof.mutants

bench: $(VENV)/ready ## measure against what people use today
	$(BIN)/python -m benchmarks

verify-aws: $(VENV)/ready ## is the embedded cloud right? check in your own account; asks first (ARGS=...)
	PYTHONPATH=tests $(BIN)/python tests/sim/facts/verify_aws.py $(ARGS)

history: $(VENV)/ready ## who had which address when (ARGS="--ip 203.0.113.7", "--gateway nat-...")
	@$(BIN)/python tools/natdrain_cli/history.py $(ARGS)

synth: $(VENV)/ready node_modules/ready ## make the template, in cdk.out (CONFIG=FILE)
	$(CDK) synth --quiet $(CONTEXT)
	@echo "cdk.out/Natdrain.template.json"

deploy: $(VENV)/ready node_modules/ready ## deploy (CONFIG=FILE, ARGS=... for the CDK)
	$(CDK) deploy $(CONTEXT) $(ARGS)

cdk: $(VENV)/ready node_modules/ready ## any other command of the CDK (ARGS=destroy)
	$(CDK) $(ARGS) $(CONTEXT)

package: synth ## make a plain template and its asset, in dist (CONFIG=FILE)
	rm -rf dist
	$(BIN)/python -m infra.package cdk.out dist

docs: $(VENV)/ready ## write into the documents what is made from the code
	PYTHONPATH=.:tools $(BIN)/python -m documents.write

format: $(VENV)/ready ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## remove everything that was set up or built
	rm -rf $(VENV) .cache cdk.out dist node_modules
