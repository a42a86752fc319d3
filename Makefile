# SPDX-License-Identifier: MIT
# The commands of this project. Each installs what it needs first; 'make help' lists them.
SHELL := bash
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
PYTHON := .venv/bin/python
BOARD ?= mps2
PRESET ?= $(BOARD)
PRESETS = mps2 mps2-m4 stm32f4
WORKERS ?= 2 # tests at once; a file of tests stays with one worker, since its tests share a bench
PYTEST = $(PYTHON) -m pytest -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder
C_SOURCES = $(shell git ls-files 'firmware/*.c' 'firmware/*.h')

.PHONY: help setup firmware boards qualify check test evidence defects benchmarks wheel lock clean

help: ## List the commands.
	@sed -nE 's/^([a-z]+):[^#]*## (.*)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

setup: ## Install what is missing: system packages, .venv.
	@tools/setup

firmware: setup ## Fetch the kernel's sources and build the firmware.
	@$(PYTHON) -m rig.image.build $(PRESET) >/dev/null

boards: setup ## Build the firmware of every board that is shipped.
	@for preset in $(PRESETS); do $(PYTHON) -m rig.image.build $$preset >/dev/null || exit; done

qualify: firmware ## Qualify emulated board BOARD: build, flash, measure, report.
	@.venv/bin/rig qualify --board $(BOARD)

check: boards ## Lint, types, unit tests; under two minutes.
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	clang-format --dry-run -Werror $(C_SOURCES)
	$(PYTEST) -m "not emulated and not slow"

test: check ## All of check, and the tests on the emulated boards.
	$(PYTEST) -m "emulated or slow"

evidence: boards ## Everything that must be seen, or OF=<steps or groups> of it; resumes where it stopped.
	@tools/evidence $(OF)

defects: firmware ## Try every seeded defect of the firmware, or OF=<tables or names>; each must be caught.
	@$(PYTHON) -m tests.defects $(OF)

benchmarks: firmware ## The rig's own speed, each figure beside a reference.
	@$(PYTHON) -m benchmarks

wheel: setup ## Build dist/*.whl; the same commit gives the same bytes.
	@SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) .venv/bin/pip wheel -q --disable-pip-version-check \
	  --no-deps --no-build-isolation --no-index -w dist .

lock: setup ## Make requirements.lock anew from pyproject.toml.
	@tools/lock

clean: ## Remove what was built; sources and .venv stay.
	rm -rf build dist
