# Touchline. `make` lists the targets; only Python 3.11 to 3.13 and make are needed to begin.
SHELL := /bin/bash
.DEFAULT_GOAL := help
ARGS ?=
UV_VERSION := 0.13.9
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
PAGE := stream/web/static/index.html
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help setup demo test check fix soak bench train docs kafka influxd up sign lock

help: ## List the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

setup: $(BIN)/.ready $(PAGE) ## Make .venv with everything that demo and tests use, and build the page

$(BIN)/.ready: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed; name one with PYTHON=…"; exit 3; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	VIRTUAL_ENV=$(CURDIR)/.venv $(BIN)/uv pip install --quiet --compile-bytecode --require-hashes -r requirements.lock
	VIRTUAL_ENV=$(CURDIR)/.venv $(BIN)/uv pip install --quiet --no-deps -e .
	@touch $@

$(PAGE): $(BIN)/.ready page/package-lock.json $(wildcard page/*.html page/*.ts page/src/*)
	cd page && npm ci --no-audit --no-fund --loglevel=error && npm run --silent build
	@touch $@

demo: setup ## Everything at once on embedded defaults; ARGS="--headless --seconds 60 --json FILE"
	@$(BIN)/touchline demo $(ARGS)

test: setup ## All tests but the soaks; what needs Kafka, InfluxDB or Chromium says so and is skipped where they are not
	$(BIN)/python -m pytest -m "not soak" $(ARGS)

check: setup ## Format, lint, types, import contracts, docs, fast tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	cd page && npm run --silent check
	$(BIN)/python -m pytest -q -m "not slow and not kafka and not influx and not browser and not soak"

fix: setup ## Format and mend what lint can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

soak: setup ## The long tests
	$(BIN)/python -m pytest -m soak $(ARGS)

bench: setup ## Benchmarks, as ratios within one run, and docs/performance.md
	$(BIN)/python -m tests.benchmarks.route $(ARGS)
	$(BIN)/python -m tests.benchmarks.serving
	$(BIN)/python -m tests.benchmarks.report

train: setup ## Train the models on TOUCHLINE_DATA (default ../shared/data) and the simulator
	$(BIN)/touchline train all $(ARGS)

docs: setup ## Make the generated docs anew
	$(BIN)/python -m touchline.docs

kafka: ## Apache Kafka for the tests, from Maven, into the user cache
	deploy/kafka/build.sh

influxd: ## InfluxDB 2 for the tests, built with Go and Rust, into the user cache
	deploy/influxd/build.sh

up: ## The real thing in containers
	docker compose up --build

sign: setup ## Sign the shipped models with a key of this release
	$(BIN)/python -m touchline.sign_release

lock: setup ## Write both lock files anew from pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --quiet --output-file requirements.lock
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.12 -c requirements.lock --no-annotate \
		--generate-hashes --no-emit-index-url --quiet --output-file deploy/requirements.lock
