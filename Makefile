# Each target makes .venv when it is missing; nothing is installed twice.
# The first Python on the path that is 3.11 to 3.13; another: make PYTHON=/path/to/python3.12
SUITABLE := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do $$p -c '$(SUITABLE)' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test test-slow test-all test-track test-airflow test-image lint bench viz clean-demo

demo: .venv/.installed
	$(BIN)/kedro run --env demo
	@echo "Pictures: $(CURDIR)/data/demo/08_reporting/latest"

# what takes minutes is left out
test: .venv/.installed-dev
	$(BIN)/python -m pytest

# real processes that are killed or train together, object stores, browsers, notebooks, wheels
test-slow: .venv/.installed-dev
	$(BIN)/python -m pytest -m 'slow and not airflow and not image'

test-all: test test-slow

# the extra stays installed: from then on every run is logged
test-track: .venv/.installed-dev
	$(INSTALL) --editable '.[track]'
	$(BIN)/python -m pytest tests/hooks/test_tracking_hooks.py -m slow

# the DAG, run by Airflow itself
test-airflow: .venv/.installed-dev .venv-airflow/.installed
	$(BIN)/python -m pytest tests/test_deployment.py -m airflow

# the image, built and run; needs Docker and 4 GB
test-image: .venv/.installed-dev
	$(BIN)/python -m pytest tests/test_deployment.py -m image

lint: .venv/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

bench: .venv/.installed-dev
	for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

viz: .venv/.installed
	$(BIN)/kedro viz run

# your own photos in data/demo/01_raw/own_photos stay
clean-demo:
	rm -rf data/demo/0[2-8]* data/demo/01_raw/synthetic
	@rmdir data/demo/01_raw data/demo 2>/dev/null || true

.venv/.created:
	@test -n '$(PYTHON)' || { echo 'Python 3.11, 3.12 or 3.13 is needed: install one, or make PYTHON=/path/to/it'; exit 1; }
	@$(PYTHON) -c '$(SUITABLE)' || { echo '$(PYTHON) is not Python 3.11 to 3.13'; exit 1; }
	$(PYTHON) -m venv --clear .venv
	@touch $@

.venv/.installed: .venv/.created pyproject.toml constraints.txt
	$(INSTALL) --editable .
	@touch $@

.venv/.installed-dev: .venv/.installed
	$(INSTALL) --editable '.[dev]'
	@touch $@

# Airflow excludes versions that constraints.txt names: it has an environment of its own
.venv-airflow/.installed: .venv/.created deploy/airflow-constraints.txt
	$(PYTHON) -m venv --clear .venv-airflow
	.venv-airflow/bin/python -m pip install --quiet --disable-pip-version-check --constraint deploy/airflow-constraints.txt apache-airflow
	@touch $@
