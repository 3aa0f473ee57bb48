# Everything a person types. `make setup` is quick the second time; every other target runs it first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# torch comes first, so that each machine may bring its own build, e.g. TORCH_ARGS="--index-url …" (README).
TORCH := $(shell grep '^torch==' constraints.txt)
# One pip for everybody: newer ones resolve faster and say more.
PIP_ITSELF := pip==26.3
SETUPTOOLS := $(shell grep '^setuptools==' constraints.txt)
TORCH_ARGS ?=
# Modules are compiled when they are first imported: most of what is installed never is.
PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALL := $(PIP) install --quiet --no-compile --prefer-binary --no-input
EXTRAS := core,speech,dev
PINS ?= -c constraints.txt
# Test files run side by side, each process with a Postgres and a Redis of its own.
TEST_PROCESSES ?= 2

export PYTHONUNBUFFERED := 1

.PHONY: help setup system-packages demo test lint bench pins clean

help:
	@echo "make setup   install into $(VENV) (needs Python 3.11+ and ffmpeg; tells what is missing)"
	@echo "make demo    a sample company, answered questions, published minutes (DEMO_EXIT=1: end by itself)"
	@echo "make test    all tests (PYTEST_ARGS=… narrows them)"
	@echo "make lint    ruff, mypy, import contracts, yamllint"
	@echo "make bench   the figures of the product as a whole (benchmarks/RESULTS.md)"
	@echo "make pins    write constraints.txt anew from pyproject.toml"
	@echo "make clean   remove what was built here"

setup: system-packages $(READY)

system-packages:
	@infra/system_packages.sh ffmpeg:ffmpeg ffprobe:ffmpeg

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || { echo "Python 3.11 or newer is needed; name one with  make setup PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	  || { echo "Python's venv is missing; on Debian:  sudo apt-get install python3-venv" >&2; exit 1; }
	@echo "installing into $(VENV) (a few minutes the first time)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(INSTALL) --upgrade "$(PIP_ITSELF)"
	@$(INSTALL) $(TORCH_ARGS) "$(TORCH)" "$(SETUPTOOLS)"
	@$(INSTALL) -c constraints.txt --no-build-isolation -e ".[$(EXTRAS)]"
	@touch $@
	@echo "installed: $(BIN)/imp"

demo: setup
	@$(BIN)/imp demo $(if $(DEMO_EXIT),--exit)

test: setup
	@$(BIN)/python -m pytest --numprocesses $(TEST_PROCESSES) --dist loadfile $(PYTEST_ARGS)

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/yamllint --strict docker-compose.yml infra

bench: setup
	@$(BIN)/python -m benchmarks --run

pins: setup
	@$(PIP) install --quiet --dry-run --ignore-installed $(PINS) --report - \
	  ".[core,speech,training,dashboard,dev]" > build-pins.json
	@$(BIN)/python infra/pins.py < build-pins.json > constraints.new
	@mv constraints.new constraints.txt && rm build-pins.json

clean:
	rm -rf $(VENV) .demo build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
