# One environment in .venv, made when it is missing and when pyproject.toml or constraints.txt change.
# All paths are relative, so that a checkout may lie in a folder with spaces in its name.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

# The first Python 3.11 to 3.13 found; name another with `make demo PYTHON=/path/to/python3.12`.
CANDIDATES := python3 python3.13 python3.12 python3.11 python
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
PYTHON ?= $(shell for p in $(CANDIDATES); do $$p -c '$(SUPPORTED)' 2>/dev/null && echo $$p && break; done)

VENV := .venv
LIGHT := .venv-light
PREVIEW := .venv-preview
SLICER_PREVIEW := slicer-core==5.13.31053.0
BIN := $(VENV)/bin
SHARED = $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
PINS := pyproject.toml constraints.txt
# What drawing windows and scenes without a screen needs on Debian; dicom3tools checks DICOM files.
SYSTEM_PACKAGES := libegl1 libgl1 libgl1-mesa-dri libxkbcommon0 libdbus-1-3 libfontconfig1 \
	libglib2.0-0 fonts-dejavu-core dicom3tools

.PHONY: help demo test test-light test-preview screenshots bench proof benchmark results release-assets lint format \
	cmake-lists system-packages clean

help: ## what can be made
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 24

demo: $(VENV)/.synth ## synthesize FDG PET from the sample MRI into demo-output/
	$(BIN)/petsynth demo -o demo-output

test: lint ## every test, in one environment made for it
	@# Two processes at a time, one thread each; files in their order, because those with the fewest
	@# tests take longest. The Slicer side comes in processes of its own: reloading the module reads
	@# the library again, as in Slicer.
	@$(SHARED) Testing/contract Testing/unit; library=$$?; \
	$(SHARED) Testing/mrml Testing/host Testing/panel; scene=$$?; exit $$((library | scene))

test-light: $(LIGHT)/.test ## the tests that need no PyTorch, e.g. make test-light PYTHON=python3.12
	$(LIGHT)/bin/python -m pytest -m "not torch" Testing/contract Testing/unit

test-preview: $(PREVIEW)/.test ## the tests on the scene of Slicer's preview release
	$(PREVIEW)/bin/python -m pytest Testing/mrml

screenshots: $(VENV)/.test ## draw panel and layouts in the test host into Resources/screenshots/
	$(BIN)/python Testing/host/screenshots.py -o Resources/screenshots

bench: $(VENV)/.test ## seconds and memory of every stage, and how the panel answers, into bench-output/
	$(BIN)/python Testing/benchmark/run.py -o bench-output
	$(BIN)/python Testing/benchmark/panel.py -o bench-output
	$(BIN)/python Testing/benchmark/training.py -o bench-output
	$(BIN)/python Testing/benchmark/pasta.py -o bench-output
	$(BIN)/python Testing/benchmark/rela.py -o bench-output

proof: $(VENV)/.test ## simulate, prepare, train flow 20 minutes, evaluate, into build/proof (some three hours)
	$(BIN)/python Testing/benchmark/v1.py build/proof --protocol Testing/benchmark/proof.yaml --cohorts a test null --methods flow

benchmark: $(VENV)/.test ## the whole of Benchmark v1, every method and cohort, into build/benchmark (a day)
	$(BIN)/python Testing/benchmark/v1.py build/benchmark --cohorts a b null strong

results: $(VENV)/.test ## tables and figure of the head-to-head, twelve people live, into build/results
	$(BIN)/python Testing/benchmark/results.py build/results

release-assets: $(VENV)/.test ## train the shipped model, calibrate it, make databases and pictures anew (many hours)
	$(BIN)/python Testing/benchmark/release.py build/release

lint: $(VENV)/.test ## style, types and the walls between the folders
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.test ## rewrite the code in the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

cmake-lists: ## write PETSynthLib/CMakeLists.txt anew after adding or removing a file
	$(PYTHON) Testing/contract/cmake_lists.py

system-packages: ## the system libraries that rendering needs (Debian, as root)
	@dpkg --status $(SYSTEM_PACKAGES) >/dev/null 2>&1 || { apt-get update -q && \
	DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $(SYSTEM_PACKAGES); }

clean: ## remove the environments and everything these targets wrote
	rm -rf $(VENV) $(LIGHT) $(PREVIEW) demo-output bench-output .pytest_cache .mypy_cache \
	.ruff_cache .import_linter_cache .hypothesis

# --- environments; a stamp file says that a set of packages is complete -------------------------
%/.made:
	@test -n '$(PYTHON)' || { echo 'PETSynth needs Python 3.11, 3.12 or 3.13; none of $(CANDIDATES) is one.' \
	'Name one: make demo PYTHON=/path/to/python3.12' >&2; exit 1; }
	@$(PYTHON) -c '$(SUPPORTED)' || { echo 'PETSynth needs Python 3.11, 3.12 or 3.13; $(PYTHON) is' \
	"$$($(PYTHON) --version 2>&1)." >&2; exit 1; }
	$(PYTHON) -m venv --clear $(@D)
	@touch $@

$(VENV)/.synth: $(PINS) | $(VENV)/.made
	@echo 'Installing PETSynth and PyTorch into $(VENV); this happens once.'
	$(BIN)/python $(PIP_INSTALL) --editable '.[synth]'
	@touch $@

$(VENV)/.test: $(VENV)/.synth
	$(BIN)/python $(PIP_INSTALL) --editable '.[synth,train,dicom,test]'
	@touch $@

$(LIGHT)/.test: $(PINS) | $(LIGHT)/.made
	$(LIGHT)/bin/python $(PIP_INSTALL) --editable '.[dicom,test]' picsl-greedy
	@touch $@

# The stable release's pins of Slicer's scene and of its vtk are left out; all others hold.
$(PREVIEW)/.test: $(PINS) | $(PREVIEW)/.made
	grep -vE '^(slicer-core|vtk)==' constraints.txt > $(PREVIEW)/constraints.txt
	$(PREVIEW)/bin/python -m pip install --quiet --disable-pip-version-check \
		--constraint $(PREVIEW)/constraints.txt --editable . pytest hypothesis '$(SLICER_PREVIEW)'
	@touch $@
