# Each target is one command that also works on its own, with the virtual environment active.
PYTHON ?= python3
STUDY ?= blog-2022
SCANS ?= official-2018
VENV := .venv
BIN := $(VENV)/bin
FLEET := helpers/fleet/requirements.txt

CAPTURE = $(if $(DB),--db $(DB)) $(if $(COVERAGE),--coverage "$(COVERAGE)") $(if $(MIXED),--mixed) \
  $(if $(FROM),--from $(FROM)) $(if $(EPSS),--epss "$(EPSS)") $(if $(KEV),--kev "$(KEV)") \
  $(foreach file,$(VEX),--vex "$(file)")
# Errors then advise `make …`.
KIT = KIT_BY_MAKE=1 $(BIN)/python -m helpers

# make ignores unknown variables: a misspelled STUDY would run the default study.
KNOWN = PYTHON VENV STUDY SCANS IMAGES IMAGE ALSO CHECK BEFORE AFTER DB COVERAGE MIXED FROM EPSS KEV VEX \
  PLATFORM LABELS PUBLISHED LANGUAGE THEME TRANSPARENT TEMPLATE FAIL_ON FORMAT NAME SCHEDULER COUNT SEED KINDS LAB QUICK
GIVEN = $(foreach name,$(.VARIABLES),$(if $(findstring command line,$(origin $(name))),$(name)))
UNKNOWN := $(filter-out $(KNOWN) -%,$(GIVEN))
$(if $(UNKNOWN),$(error Unknown variable: $(UNKNOWN). Use one of these, in upper case: $(KNOWN)))

PLATFORMS = $(if $(PLATFORM), --platform "$(PLATFORM)")

# Only what is given to make: a terminal may have a LANGUAGE of its own.
look = $(if $(findstring command,$(origin $(2))), --param $(1)=$($(2)))
ALLOW = $(if $(MIXED), --param mixed=true)
LOOK = $(call look,language,LANGUAGE)$(call look,theme,THEME)$(call look,transparent,TRANSPARENT)

.DEFAULT_GOAL := help
.PHONY: help reproduce slides live compare suggest gate fleet test test-all fuzz lab bench lint format lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

reproduce: $(VENV)/installed ## run every numbered notebook over STUDY's recorded evidence (default blog-2022) [LANGUAGE=ko …]
	@$(KIT) reproduce $(STUDY)$(LOOK)$(ALLOW)

slides: $(VENV)/installed ## deck.pptx and slides.html of STUDY [TEMPLATE=company.pptx LANGUAGE=ko THEME=dark …]
	@$(KIT) slides $(STUDY)$(LOOK)$(ALLOW)$(if $(findstring command,$(origin TEMPLATE)), --template "$(TEMPLATE)")

live: $(VENV)/installed ## capture STUDY anew (build, scan, read, start), then reproduce it [DB=folder EPSS=file KEV=file VEX=file]
	@$(if $(filter file,$(origin STUDY)),echo "Name a study: make live STUDY=today"; exit 2,\
	  $(KIT) live $(STUDY) $(CAPTURE))

compare: $(VENV)/installed ## a study of IMAGES="a b c": references, archives, SBOMs or reports [STUDY=name PLATFORM=linux/arm64 LABELS=file FROM=registry VEX=file]
	@$(if $(IMAGES),,echo 'Name the images: make compare IMAGES="node:24-alpine node:24-slim"'; exit 2;)\
	  $(KIT) compare $(IMAGES)$(PLATFORMS) $(if $(LABELS), --labels "$(LABELS)") $(if $(filter-out file,$(origin STUDY)),--study $(STUDY)) $(CAPTURE)

suggest: $(VENV)/installed ## which tag to move to from IMAGE=node:22-bookworm [ALSO="other/node …" PLATFORM=linux/arm64 FORMAT=json CHECK=1 DB=folder]
	@$(if $(IMAGE),,echo "Name the image: make suggest IMAGE=node:22-bookworm"; exit 2;)\
	  $(KIT) suggest "$(IMAGE)"$(foreach name,$(ALSO), --also "$(name)")$(if $(FORMAT), --format $(FORMAT))$(if $(CHECK), --check)$(PLATFORMS) $(filter-out --mixed,$(CAPTURE))

gate: $(VENV)/installed ## what a change brought: BEFORE=image AFTER=image [FAIL_ON="fixable and severity>=high" FORMAT=markdown DB=folder VEX=file]
	@$(if $(and $(BEFORE),$(AFTER)),,echo "Name two images: make gate BEFORE=image AFTER=image"; exit 2;)\
	  $(KIT) gate "$(BEFORE)" "$(AFTER)"$(if $(FAIL_ON), --fail-on "$(FAIL_ON)")$(if $(FORMAT), --format $(FORMAT))$(PLATFORMS) $(CAPTURE)

fleet: $(VENV)/fleet ## hundreds of images at SCANS: a folder, glob, s3://… or captured fleet (default official-2018) [NAME=name LABELS=file PUBLISHED=file SCHEDULER=tcp://host:8786 MIXED=1]
	@$(KIT) fleet run "$(SCANS)"$(if $(NAME), --name "$(NAME)")$(if $(SCHEDULER), --scheduler $(SCHEDULER))$(if $(LABELS), --labels "$(LABELS)")$(if $(PUBLISHED), --published "$(PUBLISHED)")$(if $(MIXED), --mixed)$(LOOK)

TESTS = $(BIN)/python -m pytest --numprocesses logical --maxprocesses 4 --dist loadgroup --no-loadscope-reorder

test: $(VENV)/tested $(VENV)/fleet ## test a change: what needs no Docker, browser or office, the same each time
	@$(TESTS) -m "not slow"

# What hypothesis tries is other each time here: a failing example is printed with a way to repeat it.
test-all: test ## test all else too: images, browsers, slides, whole runs, kills, fuzzing, random examples
	@$(TESTS) -m "slow or hypothesis" --hypothesis-profile random

fuzz: $(VENV)/tested $(VENV)/fleet ## read mutants of every kind of file and count beside [COUNT=100000 SEED=… KINDS="trivy grype"]
	@$(BIN)/python -m tests.fuzz.run $(or $(COUNT),100000) $(if $(SEED),--seed $(SEED)) $(KINDS)

lab: $(VENV)/installed ## open JupyterLab on the notebooks [LAB="--port 8889"]
	@JUPYTER_CONFIG_PATH="$(CURDIR)/.jupyter$${JUPYTER_CONFIG_PATH:+:$$JUPYTER_CONFIG_PATH}" \
	  $(BIN)/jupyter lab --notebook-dir notebooks --LabApp.default_url=/lab/tree/index.ipynb $(LAB)

bench: $(VENV)/tested $(VENV)/fleet ## measure time and memory of the loader and the run, and fail if a target is missed [QUICK=1]
	@$(BIN)/python -m tests.support.bench$(if $(QUICK), --quick)

lint: $(VENV)/tested $(VENV)/fleet ## check style and types
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

format: $(VENV)/tested ## format code and notebooks, strip outputs from notebooks
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format . && $(BIN)/nbstripout --keep-id $(filter-out notebooks/00-%,$(wildcard notebooks/*.ipynb))

COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate --upgrade

lock: $(VENV)/python ## pin requirements.txt and tests/requirements.txt anew
	@$(BIN)/python -m pip install --quiet uv
	@$(COMPILE) pyproject.toml --output-file $(VENV)/kit.txt > /dev/null
	@$(COMPILE) --extra fleet --constraint $(VENV)/kit.txt --output-file $(VENV)/fleet.txt > /dev/null
	@$(COMPILE) --group test --constraint $(VENV)/fleet.txt --output-file $(VENV)/test.txt > /dev/null
	@{ sed -n '1,/^$$/p' requirements.txt; cat $(VENV)/kit.txt; echo "-e ."; } > $(VENV)/new.txt
	@{ sed -n '1,/^$$/p' $(FLEET); grep -vxFf $(VENV)/kit.txt $(VENV)/fleet.txt; } > $(VENV)/fleet.new
	@{ sed -n '1,/^$$/p' tests/requirements.txt; grep -vxFf $(VENV)/kit.txt $(VENV)/test.txt; } > tests/requirements.new
	@mv $(VENV)/new.txt requirements.txt && mv $(VENV)/fleet.new $(FLEET) && mv tests/requirements.new tests/requirements.txt

clean: ## remove the virtual environment and all runs
	rm -rf $(VENV) data/runs

$(VENV)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; name one with: make PYTHON=python3.13 ..."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "No virtual environment could be made. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@touch $@

$(VENV)/installed: requirements.txt pyproject.toml $(VENV)/python
	@echo "Installing the kit, JupyterLab, pandas and matplotlib into $(VENV): one to two minutes, once ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/fleet: $(FLEET) $(VENV)/installed
	@echo "Installing Dask and PyArrow for fleets into $(VENV): about a minute, once ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $(FLEET)
	@touch $@

$(VENV)/tested: tests/requirements.txt $(VENV)/installed
	@echo "Installing pytest, ruff, mypy and Playwright into $(VENV): about a minute, once ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	@touch $@
