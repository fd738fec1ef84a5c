# Two commands: `make run` sets everything up and starts the bot; `make test` sets up and
# passes the tests. Works with GNU make 3.81 and Python 3.11 or newer.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
READY_DEV := $(VENV)/ready-dev

.PHONY: run chat test check fast e2e format lock clean setup setup-dev

run: $(READY)
	@$(BIN)/python -m bot run

chat: $(READY)
	@$(BIN)/python -m bot chat

setup: $(READY)
setup-dev: $(READY_DEV)

# Everything that .ci/run runs.
test: check fast e2e

check: $(READY_DEV)
	$(BIN)/ruff format --check bot tests benchmarks
	$(BIN)/ruff check bot tests benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m bot check

# Three processes, since on two cores there is always one that waits.
fast: $(READY_DEV)
	$(BIN)/python -m pytest -m "not e2e" --numprocesses 3 --dist worksteal

e2e: $(READY_DEV)
	$(BIN)/python -m pytest -m e2e --numprocesses 2 --dist worksteal

format: $(READY_DEV)
	$(BIN)/ruff format bot tests benchmarks
	$(BIN)/ruff check --fix bot tests benchmarks

# The lock files name packages, versions and hashes, and no registry.
LOCK := $(BIN)/uv pip compile --universal --generate-hashes --no-header --python-version 3.11 --quiet pyproject.toml
lock: $(READY_DEV)
	$(LOCK) --output-file requirements.lock
	$(LOCK) --extra dev --output-file requirements-dev.lock

# Started from any folder, as `.venv/bin/baclofen-bot`.
define LAUNCHER
#!/bin/sh
root=$$(cd "$$(dirname "$$0")/../.." && pwd)
PYTHONPATH="$$root" exec "$$root/$(VENV)/bin/python" -m bot "$$@"
endef
export LAUNCHER

$(READY): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed; $(PYTHON) is older. Try: make run PYTHON=python3.12"; exit 1; }
	@echo "Installing into $(VENV), once; this takes some minutes."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	@echo "$$LAUNCHER" > $(BIN)/baclofen-bot && chmod +x $(BIN)/baclofen-bot
	@touch $(READY)

$(READY_DEV): requirements-dev.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed; $(PYTHON) is older. Try: make test PYTHON=python3.12"; exit 1; }
	@echo "Installing into $(VENV), once; this takes some minutes."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.lock
	@echo "$$LAUNCHER" > $(BIN)/baclofen-bot && chmod +x $(BIN)/baclofen-bot
	@touch $(READY) $(READY_DEV)

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
