# Few verbs; `make help` lists them. Everything is installed into .venv, nothing outside the project's folder.

# The first that works: a command of pyenv may be there and lead nowhere.
PYTHON ?= $(shell for found in python3 python3.13 python3.12 python3.11; do \
	$$found -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$found && break; done || echo python3)
VENV ?= .venv
BIN := $(VENV)/bin
TUKKU_DATA_DIR ?= var
PORT ?= 8000
# A hung test must not hang the machine. Python keeps what it compiles, also where the environment says otherwise: tests
# start many processes.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/pytest --maxfail=50

LOADED := $(wildcard $(TUKKU_DATA_DIR)/.demo)

export TUKKU_DATA_DIR PORT

.DEFAULT_GOAL := help
.PHONY: help demo install dev serve lint format test trust bench docs clean

help:  ## list these commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

demo: $(TUKKU_DATA_DIR)/.demo  ## install, load the demo merchant, serve it on http://127.0.0.1:8000 (or PORT)
	@$(if $(LOADED),$(BIN)/python -m core.demo)
	@$(BIN)/tukku serve --port $(PORT)

install: $(VENV)/.installed  ## the environment with what Tukku needs to run

dev: $(VENV)/.developing  ## the environment with everything for tests and checks

serve: install  ## serve what is in TUKKU_DATA_DIR
	$(BIN)/tukku serve --port $(PORT)

lint: dev  ## ruff, mypy, layers, templates
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/djlint --lint --quiet core/templates addons

format: dev  ## bring the code into ruff's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test: dev  ## all tests on SQLite and PostgreSQL, a quarter of an hour on two slow cores
	$(PYTEST) -n 2 --dist worksteal -m "not trust"

trust: dev  ## races, kills, toggling, sets of addons
	$(PYTEST) -n 2 --dist worksteal -m "trust and not alone"
	$(PYTEST) -m "trust and alone"

bench: dev  ## measure, each figure as a ratio to a floor on the same machine
	$(BIN)/python -m bench

docs: dev  ## the guides as a site in build/docs; a warning fails
	$(BIN)/sphinx-build -W --keep-going -q -b html docs build/docs
	@echo "Open build/docs/index.html"

clean:  ## remove caches and builds; data and environment stay
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache test-results
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Tukku needs Python 3.11 or newer; found: $$($(PYTHON) --version 2>&1)."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
		{ rm -rf $(VENV); echo "Install Python's venv module first; on Debian: apt-get install python3-venv"; exit 1; }

$(VENV)/.installed: setup.cfg pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.developing: setup.cfg pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[postgres,server,celery,test,dev,docs]'
	@touch $@ $(VENV)/.installed

# The marker is written last, so that a load which was interrupted is taken up again.
$(TUKKU_DATA_DIR)/.demo: | $(VENV)/.installed
	@mkdir -p $(TUKKU_DATA_DIR)
	@$(BIN)/tukku init --demo
	@touch $@
