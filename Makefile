PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: setup run test check faults hostile wheel clean

setup: $(STAMP)

# torch goes first and alone, so that a CPU wheel named through pip's own settings is taken.
$(STAMP): requirements.lock pyproject.toml
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet "$$(grep '^torch==' requirements.lock)"
	$(BIN)/python -m pip install --quiet -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps -e .
	touch $(STAMP)

run: setup
	$(BIN)/tanya add sample/articles
	$(BIN)/tanya build
	$(BIN)/tanya serve

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Files go to the cores in the order of their names: by the number of their tests, as usual, those
# with few long ones would come last, on one core.
test: check
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

# The hostile corpus in full: all lengths, files that take long, laws tried two thousand times.
hostile: setup
	TANYA_HOSTILE=1 $(BIN)/python -m pytest tests/hostile

# Kills, damage, full disks, readers beside them, at length: "make faults SEEDS=1-50 MINUTES=10".
SEEDS ?= 1-300
MINUTES ?= 60
faults: setup
	nice $(BIN)/python -m tests.faults --seeds $(SEEDS) --minutes $(MINUTES)

# Builds the wheel and tries it in a new environment, in another folder; "make wheel PACKAGES="
# installs what it needs anew, which takes minutes.
PACKAGES ?= $(wildcard $(VENV)/lib/python3*/site-packages)
wheel: setup
	PYTHON=$(PYTHON) PACKAGES=$(PACKAGES) tests/wheel.sh

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
