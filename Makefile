# Two commands on a fresh machine that has Swift: `make demo` and `make test`. They install what is missing.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help

BUILD := swift build -c release
BIN := .build/release
VENV := .venv
PYTHON := $(VENV)/bin/python
RUN := runs/demo
# Of `make demo`: how long the agents learn, and another world's folder than the bundled one.
STEPS ?= 40000
WORLD ?=
APT := libopenblas-dev libpng-dev libzmq3-dev pkg-config ffmpeg python3-venv

help: ## What there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | column -t -s "$$(printf '\t')"

setup: ## Installs the system's libraries where they are missing
	@missing=(); for package in $(APT); do
	  dpkg -s "$$package" >/dev/null 2>&1 || missing+=("$$package")
	done
	if [ $${#missing[@]} -gt 0 ]; then
	  echo "installing $${missing[*]}"
	  sudo=""; [ "$$(id -u)" = 0 ] || sudo=sudo
	  $$sudo apt-get update -qq
	  DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq "$${missing[@]}" >/dev/null
	fi

build: setup ## Builds everything, optimised
	@$(BUILD)

python: setup ## A virtual environment with the Python client
	@if [ ! -x $(PYTHON) ]; then python3 -m venv $(VENV); fi
	$(PYTHON) -c 'import genie_environments, mypy, pytest' 2>/dev/null || $(PYTHON) -m pip install -q -e 'Agents/Python[test]'

demo: build ## Trains agents in the bundled dream and in the real game, and shows what each is worth there
	@rm -rf $(RUN)
	world=($(if $(WORLD),--world $(WORLD)))
	$(BIN)/genie experiment transfer "$${world[@]}" --steps $(STEPS) --seeds 1 \
	  --out $(RUN)/transfer
	$(BIN)/genie experiment imitation "$${world[@]}" --episodes 60 --steps 600 --seeds 1 --samples 10 50 200 \
	  --out $(RUN)/imitation
	agent=$(RUN)/transfer/lively-begin-rich-1
	$(BIN)/genie report --policy "$$agent/agent.policy.safetensors" "$${world[@]}" --curve "$$agent" --out $(RUN)/report
	echo "open these in a browser:"
	printf '  %s\n' $(CURDIR)/$(RUN)/{report,transfer,imitation}/index.html

test: setup python ## Passes all tests
	@swift test -c release --no-parallel
	swift run -c release --package-path Tests/DependentPackage --scratch-path .build/dependent
	endpoint="ipc:///tmp/genie-test-$$$$.sock"
	$(BIN)/genie serve --game Platformer-v1 --endpoint "$$endpoint" 2>/dev/null &
	trap "kill $$! 2>/dev/null || true" EXIT
	$(PYTHON) -m mypy --config-file Agents/Python/pyproject.toml Agents/Python/src
	GENIE=$(BIN)/genie GENIE_ENDPOINT="$$endpoint" $(PYTHON) -m pytest -q Agents/Python
	$(BIN)/genie conform "$$endpoint" | tail -1
	if command -v cc >/dev/null; then
	  cc -O2 -Wall -Wextra -o .build/genie-client Agents/C/genie.c -lzmq
	  .build/genie-client --golden Tests/Fixtures/wire/*.bin
	  .build/genie-client "$$endpoint" Platformer-v1 16 200
	fi
	GENIE=$(BIN)/genie $(PYTHON) -m pytest -q -rs Tests/Browser

lint: ## Checks the style
	@swift format lint --strict --recursive Package.swift Sources Tests Agents

clean: ## Removes what was built, and the demo
	@rm -rf .build $(VENV) $(RUN)

.PHONY: help setup build python test lint clean demo
