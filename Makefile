# Two commands on a fresh machine: `make demo` shows the main job, `make test` proves it.
# Each target sets up what it needs by itself; nothing but python3, pip and make is expected.
.DEFAULT_GOAL := help
.PHONY: help setup demo run test test-clients unit lint eval bench schema packages lock clean
BIN := .venv/bin

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.venv/.ready: requirements/dev.txt pyproject.toml build/setup.sh
	@build/setup.sh

setup: .venv/.ready ## make .venv with the locked packages

demo: .venv/.ready ## start the agent, send real requests through it, show what happened
	@$(BIN)/drawbridge demo

run: .venv/.ready ## run the agent in the foreground
	@$(BIN)/drawbridge up

test: lint unit ## lint, types, architecture and every test
	@echo "test: integration, clients and installers"
	@build/tests.sh $(BIN)/python -m pytest -q -n auto --dist loadfile tests --ignore=tests/unit

test-clients: .venv/.ready ## the real clients; installs and builds them into build/.work first
	@build/clients.sh
	@build/tests.sh $(BIN)/python -m pytest -q -n auto --dist loadfile tests/clients

unit: .venv/.ready ## the unit tests: no network, under ten seconds
	@echo "test: unit"
	@build/tests.sh $(BIN)/python -m pytest -q -n auto --dist worksteal tests/unit

lint: .venv/.ready ## ruff, mypy strict, import contracts
	@echo "lint: ruff, mypy, import contracts"
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache | tail -n 12

# What the guardrails must reach on the evaluation sets; docs/guardrails.md says how it is counted.
BARS := secret.f1=0.95 secret.false_alarms=0.02 secret.benign=0 pii.f1=0.95 pii.false_alarms=0.05 \
	injection.f1=0.80 injection.false_alarms=0.02

eval: .venv/.ready ## precision, recall and false alarms of the guardrails, against their bars
	@$(BIN)/python -m tests.data.eval.generate
	@$(BIN)/python -m agent eval tests/data/eval/generated $(addprefix --require ,$(BARS))

bench: .venv/.ready ## latency, CPU and memory beside their peers, in one run
	@$(BIN)/python tests/bench/bridge.py
	@$(BIN)/python -m tests.bench.catalog
	@$(BIN)/python -m tests.bench.guardrails --quick
	@$(BIN)/python -m tests.bench.gateway --quick

schema: .venv/.ready ## regenerate policies/schema from the policy models, installers/mdm from the table of settings
	@$(BIN)/drawbridge policy schema > policies/schema/policy.schema.json
	@$(BIN)/python build/mdm.py

packages: ## freeze the program, have it test itself, make .deb and .rpm in dist/packages (.pkg on a Mac)
	@build/packages.sh

lock: ## recompute requirements/*.txt (needs uv)
	@uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-annotate \
		--python-version 3.13 pyproject.toml -o requirements/run.txt
	@uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-annotate \
		--python-version 3.13 --extra central pyproject.toml -o requirements/central.txt
	@uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-annotate \
		--python-version 3.13 --extra build pyproject.toml -o requirements/build.txt
	@uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-annotate \
		--python-version 3.13 --extra dev pyproject.toml -o requirements/dev.txt
	@uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-annotate \
		--python-version 3.13 --extra dev --extra peers pyproject.toml -o requirements/peers.txt

clean: ## remove everything that was made
	rm -rf .venv build/.work dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
