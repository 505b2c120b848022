# Two commands on a fresh machine: `make demo` and `make test`.
# Everything goes into .venv; PYTHON chooses the interpreter (3.11 or newer).

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PORT   ?= 8000

.DEFAULT_GOAL := help
.PHONY: help demo test check soak bench client format clean

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 16

$(VENV)/.core: pyproject.toml scripts/venv.sh
	sh scripts/venv.sh "$(PYTHON)" "$(VENV)" "."
	@touch $@

$(VENV)/.test: pyproject.toml scripts/venv.sh
	sh scripts/venv.sh "$(PYTHON)" "$(VENV)" ".[test]"
	@touch $@ $(VENV)/.core

demo: $(VENV)/.core ## Build and serve the documentation site on http://localhost:8000
	sh scripts/demo.sh "$(abspath $(BIN))" "$(PORT)"

# Three processes, since tests wait for servers and browsers more than they compute. A test that
# fails is tried once more, which the summary counts: real browsers and servers
# share two cores with the tests.
test: $(VENV)/.test ## Set up what the tests need, and run them
	sh scripts/services.sh
	PYTHONPATH= $(BIN)/python -m pytest -m "not soak" -n 3 --dist loadfile --reruns 1 --cov --cov-report=term:skip-covered $(if $(ARGS),,--cov-fail-under=95) $(ARGS)

soak: $(VENV)/.test ## Run what takes longer: kill matrices, load, many processes
	sh scripts/services.sh
	sh scripts/soak_services.sh "$(VENV)"
	$(BIN)/python -m pytest -m soak $(ARGS)

check: $(VENV)/.test ## Lint, types, layers, exports, generated files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/python -m pytest -q tests/test_layers.py tests/test_exports.py
	sh scripts/check_client.sh

bench: $(VENV)/.test ## Print the measured ratios
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[bench]"
	$(BIN)/python benchmarks/run.py $(ARGS)

client: ## Build the Alive runtime from client/ (needs Node)
	cd client && npm ci --no-audit --no-fund && node build.mjs

format: $(VENV)/.test ## Format the source
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## Remove what the other commands made
	rm -rf $(VENV) docs/.asok .pytest_cache .ruff_cache .hypothesis htmlcov .coverage*
