# Everything a developer or an operator does from a checkout. Needs Python >= 3.11 and nothing else.
PYTHON ?= python3
BIN := .venv/bin
CODE := services libs tests benchmarks
# Your own features where there are any, else a start.
CONFIG ?= $(if $(wildcard eddyline.yaml),eddyline.yaml,examples/shop.yaml)

# An image of Python may forbid to keep compiled modules: every process would compile all that it imports anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: laws help setup fmt lint type test test-unit test-integration test-e2e fuzz openapi docs bench up down demo lock

help: ## Show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.ready ## Make .venv: pinned packages, the code itself, compiled kernels

# pip installs a pinned uv, which installs the rest in seconds; every package is checked against its hash.
.venv/.ready: requirements.lock bootstrap.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Eddyline needs Python 3.11 or newer; say which with make PYTHON=python3.12 …"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r bootstrap.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	$(BIN)/python -m eddyline_learning.compile
	@touch $@

fmt: setup ## Format the code
	$(BIN)/ruff check --fix-only --quiet $(CODE)
	$(BIN)/ruff format --quiet $(CODE)

lint: setup ## Check style, and which package may import which
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check --quiet $(CODE)
	$(BIN)/lint-imports

type: setup ## Check types (mypy --strict)
	$(BIN)/mypy services libs

# Two at a time: most tests wait for servers. A file's tests stay together, since they share those, and the files that take
# longest come first (tests/support/long_files.py). PYTEST_ARGS='-n 0' for one at a time.
test: setup ## Run all tests, on real nats-server and PostgreSQL
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

test-unit: setup ## Run the tests that need no server
	$(BIN)/python -m pytest tests/unit tests/property $(PYTEST_ARGS)

test-integration: setup ## Run the tests of one service or adapter on real servers
	$(BIN)/python -m pytest tests/contract tests/integration $(PYTEST_ARGS)

test-e2e: setup ## Run the tests of the whole
	$(BIN)/python -m pytest tests/e2e $(PYTEST_ARGS)

fuzz: setup ## Schemathesis over all services, deeper: make fuzz [FUZZ_EXAMPLES=1000] [FUZZ_SEED=2]
	FUZZ_EXAMPLES=$(or $(FUZZ_EXAMPLES),1000) FUZZ_SEED=$(or $(FUZZ_SEED),1) \
		$(BIN)/python -m pytest tests/integration/api $(PYTEST_ARGS)

openapi: setup ## Write the published schemas anew: docs/openapi, docs/events.schema.json
	$(BIN)/python -m tests.support.openapi_files
	$(BIN)/python -m eddyline_contracts.schema > docs/events.schema.json

docs: setup ## Write docs/configuration.md, the table of docs/metrics.md and docs/eddyline.schema.json anew, from the code
	$(BIN)/python -m tests.support.configuration_reference
	$(BIN)/python -m tests.support.metrics_catalogue
	$(BIN)/eddyline validate --schema > docs/eddyline.schema.json

laws: setup ## The laws of the fold on many histories: make laws [EXAMPLES=10000]
	LAW_EXAMPLES=$(or $(EXAMPLES),10000) $(BIN)/python -m pytest tests/property/features/test_fold_laws.py \
		tests/property/features/test_forgetting_laws.py tests/property/features/test_log_laws.py \
		tests/property/features/test_counting_oracle.py --durations=0 --timeout=0

bench: setup ## Measure against the budgets: make bench [JSON=FILE] [ONLY=fold,log,…] [SECONDS=20]
	$(BIN)/python -m benchmarks $(if $(JSON),--json '$(JSON)') $(if $(ONLY),--only '$(ONLY)') $(if $(SECONDS),--seconds '$(SECONDS)')

up: setup ## Start everything here; Ctrl-C stops it: make up [CONFIG=eddyline.yaml]
	$(BIN)/eddyline up --config '$(CONFIG)'

down: setup ## Stop what `make up` started
	$(BIN)/eddyline down

demo: setup ## See it learn, and draw it: make demo [REPORT=FILE] [RECOMMEND=0.5] [SUMMARY=FILE] [KEEP=1] [SEED=2] [EVENTS=FILE, a history instead of made-up people]
	$(BIN)/eddyline demo --report '$(or $(REPORT),demo-report.html)' $(if $(EVENTS),--events '$(EVENTS)') $(if $(RECOMMEND),--recommend '$(RECOMMEND)') $(if $(SEED),--seed '$(SEED)') $(if $(SUMMARY),--summary '$(SUMMARY)') $(if $(KEEP),--keep)

lock: setup ## Pin all packages anew, with hashes
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --extra dev \
		--no-header --no-annotate --no-emit-index-url pyproject.toml build.in -o requirements.lock
	for service in ingest feature-store trainer ranker encoder; do \
		$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --extra $$service \
			--no-header --no-annotate --no-emit-index-url -c requirements.lock pyproject.toml build.in \
			-o deploy/locks/$$service.lock || exit 1; \
	done
