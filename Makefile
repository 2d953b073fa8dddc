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
ENDPOINT := ipc:///tmp/genie-demo-$(shell id -u).sock
# Of `make demo`: how long the agent learns, and another world's folder than the bundled one.
STEPS ?= 120000
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
	$(PYTHON) -c 'import genie_environments, pytest' 2>/dev/null || $(PYTHON) -m pip install -q -e 'Agents/Python[test]'

demo: build ## Serves the bundled world, trains an agent in it, and shows what it learned
	@rm -rf $(RUN)
	mkdir -p $(RUN)
	$(BIN)/genie serve $(WORLD) --endpoint $(ENDPOINT) >$(RUN)/server.log 2>&1 &
	server=$$!
	trap 'kill $$server 2>/dev/null || true; wait $$server 2>/dev/null || true' EXIT
	until grep -q '^serving at' $(RUN)/server.log; do
	  kill -0 $$server 2>/dev/null || { cat $(RUN)/server.log >&2; exit 1; }
	  sleep 0.1
	done
	$(BIN)/PPOAgent --endpoint $(ENDPOINT) --steps $(STEPS) --out $(RUN)/agent
	$(BIN)/genie report --policy $(RUN)/agent/agent.policy.safetensors $(if $(WORLD),--world $(WORLD)) \
	  --curve $(RUN)/agent --out $(RUN)/report
	echo "open $(CURDIR)/$(RUN)/report/index.html in a browser"

test: setup python ## Passes all tests
	@swift test -c release --no-parallel
	swift run -c release --package-path Tests/DependentPackage --scratch-path .build/dependent
	endpoint="ipc:///tmp/genie-test-$$$$.sock"
	$(BIN)/genie serve --game Platformer-v1 --endpoint "$$endpoint" 2>/dev/null &
	trap "kill $$! 2>/dev/null || true" EXIT
	GENIE_ENDPOINT="$$endpoint" $(PYTHON) -m pytest -q Agents/Python
	$(BIN)/genie conform "$$endpoint" | tail -1
	if command -v cc >/dev/null; then
	  cc -O2 -Wall -Wextra -o .build/genie-client Agents/C/genie.c -lzmq
	  .build/genie-client --golden Tests/Fixtures/wire/*.bin
	  .build/genie-client "$$endpoint" Platformer-v1 16 200
	fi
	GENIE=$(BIN)/genie $(PYTHON) -m pytest -q -rs Tests/Browser

lint: ## Checks the style
	@swift format lint --strict --recursive Package.swift Sources Tests Agents

clean: ## Removes what was built
	@rm -rf .build $(VENV) runs

.PHONY: help setup build python test lint clean demo
