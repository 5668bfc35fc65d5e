# Everything is installed into .venv, from the versions that constraints.txt pins.
PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
TEST_DATABASE_URL ?= postgres://postgres@127.0.0.1:5432/postgres
COUNT ?= 30
TIMES ?= 200
SQLITE_TIMES ?= 50
RESTARTS ?= 20
FAILOVERS ?= 5
AWAY ?= 60
LATER ?= 60
FULL ?= 20
IMPORTS ?= 5
FUZZED ?= 100000
SEED ?= 1
CHANGED ?=
ONLY ?=
RECORD ?=
# What an older Python is told, also one that an earlier .venv has.
CHECK_PYTHON := import sys; sys.version_info >= (3, 11) or sys.exit( \
	"Patron needs Python 3.11 or newer, and %s is %s." % (sys.executable, sys.version.split()[0]))
# One process per core.
PYTEST := $(BIN)/pytest -n auto --dist loadgroup
LAST_FAILED := --last-failed --last-failed-no-failures none
# Each in the same order, with the cores to itself: who fails here is wrong, whatever else the machine does.
AGAIN := $(BIN)/pytest -n 1 $(LAST_FAILED)
# A browser that hangs does so for good: its test is ended, with the place where it stands, and a new one goes on.
BROWSER := env -u TEST_DATABASE_URL $(BIN)/pytest -m browser --timeout 120 --timeout-method thread tests/browser

# Compiling every module again in every process of the suite takes minutes.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run test test-postgres test-again test-postgres-again test-browser test-browser-again pictures lint format fuzz documents bench bench-scale bench-admin torture mutants audit clean

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

run: $(VENV)/run.stamp ## Serve the demo on http://localhost:8000 (PORT=… for another port)
	@DEMO=true PORT=$(PORT) exec $(BIN)/python manage.py demo --serve

test: $(VENV)/dev.stamp ## Run the suite on SQLite
	@env -u TEST_DATABASE_URL $(PYTEST)

test-postgres: $(VENV)/dev.stamp ## Run the suite on PostgreSQL, with the races that only it can show
	@TEST_DATABASE_URL='$(TEST_DATABASE_URL)' $(PYTEST)

test-again: $(VENV)/dev.stamp ## Try once more, one by one, what failed on SQLite
	@env -u TEST_DATABASE_URL $(AGAIN)

test-postgres-again: $(VENV)/dev.stamp ## Try once more, one by one, what failed on PostgreSQL
	@TEST_DATABASE_URL='$(TEST_DATABASE_URL)' $(AGAIN)

test-browser: $(VENV)/dev.stamp ## Click through the demo in the machine's Chromium, and look at every page with axe-core
	@$(BROWSER) -n 2
	@cat docs/back-office/journeys.md

test-browser-again: $(VENV)/dev.stamp ## Try once more, one by one, what failed in the browser
	@$(BROWSER) -n 1 $(LAST_FAILED)

pictures: $(VENV)/dev.stamp ## Take the pictures in docs/back-office/ again, and count the clicks of staff's journeys
	@env -u TEST_DATABASE_URL PICTURES=yes $(BIN)/pytest -m browser tests/browser/test_journeys.py tests/browser/test_second_factor.py tests/browser/test_table.py tests/browser/test_pictures.py

lint: $(VENV)/dev.stamp ## Check style, types, import directions, migrations and deployment settings
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --cache-dir=/dev/null .  # the plugin forgets what models inherit, when it goes on from a cache
	$(BIN)/lint-imports --no-cache | tail -n +10
	DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python manage.py makemigrations --check --dry-run
	SECRET_KEY=$$(head -c 64 /dev/urandom | base64 -w 0) \
	ENCRYPTION_KEYS=$$(head -c 32 /dev/urandom | base64 | tr '+/' '-_') \
	PUBLIC_URL=https://patron.example ALLOWED_HOSTS=patron.example \
	$(BIN)/python manage.py check --deploy --fail-level WARNING

format: $(VENV)/dev.stamp ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

fuzz: COUNT = 100000
fuzz: $(VENV)/dev.stamp ## Send every operation values of any type, size and encoding (COUNT=100000 SEED=1)
	@env -u TEST_DATABASE_URL FUZZ_COUNT=$(COUNT) FUZZ_SEED=$(SEED) $(PYTEST) tests/contracts/test_fuzz.py

documents: COUNT = 10000
documents: $(VENV)/dev.stamp ## Send every operation what its OpenAPI document allows, and what not (COUNT=10000 SEED=1)
	@env -u TEST_DATABASE_URL FUZZ_COUNT=$(COUNT) FUZZ_SEED=$(SEED) $(PYTEST) tests/contracts/test_openapi_requests.py

bench: $(VENV)/dev.stamp ## Measure the hot paths on PostgreSQL, beside a floor and two peers
	@$(BIN)/python bench/run.py

bench-scale: $(VENV)/dev.stamp ## Compare each path in a shop of a million customers with a small one
	@$(BIN)/python bench/scale.py

bench-admin: $(VENV)/dev.stamp ## Measure staff's searches and the customer's page with a million customers on PostgreSQL
	@$(BIN)/python bench/admin.py

torture: $(VENV)/dev.stamp ## Break all that an installation stands on, while customers use it (what and how often: torture/README.md)
	@$(BIN)/python -m torture.kills postgresql $(TIMES)
	@$(BIN)/python -m torture.kills sqlite $(SQLITE_TIMES)
	@$(BIN)/python -m torture.database $(RESTARTS) $(AWAY)
	@$(BIN)/python -m torture.cache 5
	@$(BIN)/python -m torture.replica
	@$(BIN)/python -m torture.clock
	@$(BIN)/python -m torture.outside $(LATER)
	@$(BIN)/python -m torture.disk postgresql $(FULL)
	@$(BIN)/python -m torture.disk sqlite $(FULL)
	@$(BIN)/python -m torture.importing postgresql $(IMPORTS)
	@$(BIN)/python -m torture.importing sqlite $(IMPORTS)
	@$(BIN)/python -m torture.failover $(FAILOVERS)
	@$(BIN)/python -m torture.fuzzing $(FUZZED) $(SEED)

# The first time, and with RECORD=yes, it runs the whole suite to record which tests execute which line; then a mutant
# takes some ten seconds.
mutants: $(VENV)/dev.stamp ## Show what no test would notice (COUNT=30 SEED=1 CHANGED=main~10 ONLY=login/ JOBS=2 RECORD=)
	@TEST_DATABASE_URL='$(TEST_DATABASE_URL)' $(BIN)/python -m tools.mutants --count $(COUNT) --seed $(SEED) \
	--changed '$(CHANGED)' --only '$(ONLY)' $(if $(JOBS),--jobs $(JOBS)) $(if $(RECORD),--record)

audit: $(VENV)/dev.stamp ## Ask for known vulnerabilities of the pinned dependencies
	$(BIN)/pip-audit --requirement constraints.txt --no-deps --disable-pip

clean: ## Remove what was installed and the demo's data
	rm -rf $(VENV) var tests/node/node_modules

$(BIN)/python:
	@$(PYTHON) -c '$(CHECK_PYTHON)'
	@echo "Making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)

# An editable install takes the list of packages from pyproject.toml; the code stays where it is.
$(VENV)/run.stamp: $(BIN)/python pyproject.toml constraints.txt
	@$(BIN)/python -c '$(CHECK_PYTHON) ; print("Installing Patron into $(VENV); the first time takes a minute or two")'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

$(VENV)/dev.stamp: $(BIN)/python pyproject.toml constraints.txt
	@$(BIN)/python -c '$(CHECK_PYTHON) ; print("Installing Patron and its tools into $(VENV)")'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@ $(VENV)/run.stamp
