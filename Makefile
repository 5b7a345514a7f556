# Every target does its own set-up: a virtual environment with the locked packages, made once and
# again only when requirements.lock or pyproject.toml changes. Needed: Python 3.11 or later, make.
# PYTHON=/path/to/python chooses the interpreter; CORPID_KILLS=n changes how long `make soak` is.

.SHELLFLAGS := -eu -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CANDIDATES := $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11 python)
SOURCES := keys oidc corpid
# The environment must not lead packages or modules from elsewhere into ours.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV PIP_USER PIP_TARGET PIP_PREFIX
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo run test check bench soak lock format clean

help: ## Show these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

demo: $(READY) ## The main job end to end: service, wallet, bank and partner as separate processes
	@$(BIN)/python -m examples.demo

run: $(READY) ## Start the service with sample data (HTTPS=1 for TLS under a development CA)
	@$(BIN)/python -m examples.run $(if $(filter-out 0 no,$(HTTPS)),--https)

test: $(READY) ## All tests, in random order, on SQLite and on PostgreSQL
	@$(BIN)/python -m tools.browser
	@failed=0; \
	$(BIN)/python -m pytest tests/faults -m alone -r fEsxX || failed=$$?; \
	$(BIN)/python -m pytest tests -m 'not alone' -n 2 --dist loadfile --no-loadscope-reorder \
	  -r fEsxX --durations 5 || failed=$$?; \
	exit $$failed

check: $(READY) ## Lint, format, types, import contracts, lock, forbidden imports, routes
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy $(SOURCES)
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m tools.check_lock
	@$(BIN)/python -m tools.check_forbidden
	@$(BIN)/python -m tools.check_routes
	@echo "check: nothing found"

bench: $(READY) ## Measure each request beside its pure cryptography; writes build/bench.json
	@$(BIN)/python -m bench

soak: $(READY) ## Many kill -9 of the real service, per database; takes long
	@CORPID_SOAK=1 CORPID_KILLS=$${CORPID_KILLS:-500} $(BIN)/python -m pytest tests/faults -r fEsxX --timeout 0

lock: $(READY) ## Write the lock files again after a change in pyproject.toml (needs the network)
	@$(BIN)/python -m tools.lock

format: $(READY) ## Format the code and apply the safe lint fixes
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

clean: ## Remove the virtual environment and everything that was built
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements.lock pyproject.toml hatch_build.py
	@found=; \
	for candidate in $(CANDIDATES); do \
	  if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	  then found=$$candidate; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "Python 3.11 or later is needed; none of these is one: $(CANDIDATES)" >&2; \
	  echo "Name one with: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; \
	fi; \
	if ! $(BIN)/python -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	  echo "Making $(VENV) with $$("$$found" --version)"; \
	  "$$found" -m venv --clear $(VENV) || { \
	    echo "This Python makes no virtual environment; its venv and ensurepip modules are needed" \
	      "(on Debian the package python3-venv)." >&2; exit 1; }; \
	fi
	@echo "Installing the locked packages (once; again only when the lock changes)"
	@$(BIN)/python -m pip install --quiet --no-input --root-user-action ignore --require-hashes \
	  -r requirements.lock
	@$(BIN)/python -m pip install --quiet --no-input --root-user-action ignore --no-deps \
	  --no-build-isolation --editable .
	@touch $@
