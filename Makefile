# Everything a person or a machine does with this project. Needs make and Python 3.11 or later, nothing else.
# `make help` lists the targets.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

# The first Python that is new enough and can make an environment. Override: make setup PYTHON=/path/to/python
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	"$$p" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo "$$p" && break; \
	done)

VENV := .venv
PY := $(VENV)/bin/python
RUN_STAMP := $(VENV)/.ready-to-run
DEV_STAMP := $(VENV)/.ready-to-check
SERVICES := .cache/services
SERVICES_STAMP := $(SERVICES)/.ready
CLIENTS := .cache/clients
CLIENTS_STAMP := $(CLIENTS)/.ready
DEPLOY_STAMP := .cache/deploy/.ready
NODE := .cache/node
NODE_STAMP := $(NODE)/.ready
PACKAGE := src/lazaretto
PIP_INSTALL := $(PY) -m pip install -qq --disable-pip-version-check --no-input

# Only pinned wheels whose hashes are known, nothing resolved anew: no code of a dependency runs while it is installed.
# An extra index or folder in your own pip settings does no harm: what it offers must have the same hash.
PIP_PINNED := $(PIP_INSTALL) --require-hashes --no-deps --only-binary :all:

# The same for npm: what the lock names, by its integrity, and no script of a package runs.
NPM_PINNED := npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error

# Where the machine has no Node.js of its own, the one that the tests installed is found here.
export PATH := $(CURDIR)/$(NODE)/path:$(PATH)

# The update that `make read` reads: make read UPDATE="pypi requests 2.32.4 2.32.5"
# Where npm is not installed nobody has said which npm registry to ask; pip always comes with the environment.
UPDATE ?= $(if $(shell command -v npm),npm axios 1.13.6 1.14.0,pypi requests 2.32.4 2.32.5)

.PHONY: help setup run read demo clients services test test-fast check format coverage bench bench-firewall week bench-inventory drill updates replays docs golden lock new-detector clean eval mutations fuzz bench-check projects differential attribution bench-graph

help:  ## Show this list
	@sed -n 's/^\([a-z-]*\):.*##/\1 /p' Makefile | while read -r name words; do printf '  make %-14s %s\n' "$$name" "$$words"; done

setup: $(RUN_STAMP)  ## Make the environment in .venv, with what Lazaretto needs to run
	@echo "Ready: $(VENV)/bin/lazaretto --help"

$(PY):
	@test -n "$(PYTHON)" || { \
		echo "No suitable Python: need 3.11 or later with the modules venv and ensurepip" >&2; \
		echo "(on Debian and Ubuntu: apt-get install python3-venv). Or: make setup PYTHON=/path/to/python" >&2; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)

$(RUN_STAMP): requirements/runtime.txt requirements/firewall.txt requirements/images.txt requirements/build.txt pyproject.toml $(PACKAGE)/__init__.py | $(PY)
	@echo "Installing what Lazaretto needs to run"
	@$(PIP_PINNED) -r requirements/runtime.txt
	@$(PIP_PINNED) -r requirements/firewall.txt
	@$(PIP_PINNED) -r requirements/images.txt
	@$(PIP_PINNED) -r requirements/build.txt
	@$(PIP_INSTALL) --no-index --no-deps --no-build-isolation --editable .
	@$(PY) -m compileall -q $(PACKAGE)
	@touch $@

$(DEV_STAMP): requirements/dev.txt requirements/cluster.txt requirements/oidc.txt requirements/verify.txt $(RUN_STAMP)
	@echo "Installing what the checks need"
	@$(PIP_PINNED) -r requirements/dev.txt
	@$(PIP_PINNED) -r requirements/cluster.txt
	@$(PIP_PINNED) -r requirements/oidc.txt
	@$(PIP_PINNED) -r requirements/verify.txt
	@touch $@

$(SERVICES_STAMP): requirements/services.txt | $(PY)
	@echo "Installing the servers that the tests of several replicas start"
	@rm -rf $(SERVICES) && $(PY) -m venv $(SERVICES)
	@$(SERVICES)/bin/$(PIP_PINNED:$(PY)%=python%) -r requirements/services.txt
	@touch $@

services: $(SERVICES_STAMP)  ## Install the servers that the tests of several replicas start: PostgreSQL, an object store

$(DEPLOY_STAMP): requirements/deploy.txt | $(PY)
	@echo "Installing what looks at deploy/"
	@$(PY) -m venv .cache/deploy
	@.cache/deploy/bin/python -m pip install -qq --disable-pip-version-check --no-input --require-hashes --no-deps \
		--only-binary :all: -r requirements/deploy.txt
	@touch $@

run: $(RUN_STAMP)  ## Start the firewall on this machine, and print the one line that each client needs
	@$(PY) -m compileall -q $(PACKAGE)
	$(VENV)/bin/lazaretto firewall run

read: $(RUN_STAMP)  ## Read a real update and print the verdict (UPDATE="npm axios 1.13.6 1.14.0")
	@$(PY) -m compileall -q $(PACKAGE)
	$(VENV)/bin/lazaretto diff $(UPDATE)

demo: $(RUN_STAMP)  ## Replay axios 1.14.1 with your npm: straight from a registry, then through the firewall
	@$(PY) -m compileall -q $(PACKAGE)
	$(PY) tools/demo.py

$(NODE_STAMP): requirements/node.txt | $(PY)
	@rm -rf $(NODE) && mkdir -p $(NODE)/path
	@node -e 'process.exit(process.versions.node.split(".")[0] < 20)' 2>/dev/null && command -v npm >/dev/null || { \
		echo "Installing Node.js for the tests: this machine has none, or one before version 20" && \
		$(PYTHON) -m venv $(NODE)/python && \
		$(NODE)/python/bin/python -m pip install -qq --disable-pip-version-check --no-input --require-hashes --no-deps \
			--only-binary :all: -r requirements/node.txt && \
		for name in node npm npx; do ln -s ../python/bin/$$name $(NODE)/path/$$name; done; }
	@touch $@

$(CLIENTS_STAMP): requirements/clients.txt tests/clients/package.json tests/clients/package-lock.json $(NODE_STAMP) | $(PY)
	@echo "Installing the clients that the firewall is tested with"
	@rm -rf $(CLIENTS) && mkdir -p $(CLIENTS)/node
	@$(PYTHON) -m venv $(CLIENTS)/python
	@$(CLIENTS)/python/bin/python -m pip download -qq --disable-pip-version-check --no-input --require-hashes --no-deps \
		--only-binary :all: --dest $(CLIENTS)/wheels -r requirements/clients.txt
	@$(CLIENTS)/python/bin/python -m pip install -qq --disable-pip-version-check --no-input --require-hashes --no-deps \
		--no-index --find-links $(CLIENTS)/wheels -r requirements/clients.txt
	@cp tests/clients/package.json tests/clients/package-lock.json $(CLIENTS)/node
	@cd $(CLIENTS)/node && $(NPM_PINNED)
	@touch $@

clients: $(CLIENTS_STAMP)  ## Install the real clients and upstreams that the firewall is tested with

test: $(DEV_STAMP) $(CLIENTS_STAMP) $(SERVICES_STAMP)  ## Run every test
	@$(PY) -m compileall -q $(PACKAGE)
	$(PY) -m pytest

test-fast: $(DEV_STAMP)  ## Run the tests that take less than a second each
	$(PY) -m pytest -m "not slow and not network"

check: $(DEV_STAMP) $(CLIENTS_STAMP) $(SERVICES_STAMP) $(DEPLOY_STAMP)  ## Run every gate: format, lint, types, import contracts, docs, tests, coverage
	@$(PY) -m compileall -q $(PACKAGE)
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports --no-cache
	$(PY) tools/gen_docs.py --check
	$(PY) tools/gen_schema.py --check
	$(PY) tools/check_deploy.py .cache/deploy/bin
	$(PY) -m pytest --cov --cov-report= --junitxml=.cache/tests.xml
	$(PY) tools/coverage_floors.py .cache/tests.xml

format: $(DEV_STAMP)  ## Format the code and fix what can be fixed safely
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

coverage: $(DEV_STAMP) $(CLIENTS_STAMP) $(SERVICES_STAMP)  ## Run the tests and show the lines and branches that none reached
	$(PY) -m pytest --cov --cov-report=term-missing:skip-covered --cov-report=html:.cache/coverage
	$(PY) tools/coverage_floors.py

bench: $(RUN_STAMP)  ## Measure time and memory beside guarddog, in one run
	@$(PY) -m compileall -q $(PACKAGE)
	$(PY) -m evals.bench

week: $(RUN_STAMP)  ## A week behind the firewall, compressed: write evals/out/week.html
	$(PY) -m evals.week

bench-firewall: $(DEV_STAMP) $(CLIENTS_STAMP)  ## Measure the firewall beside Verdaccio, devpi and its upstream: needs nginx and wrk, 25 minutes (BENCH="--only npm -n 3")
	@$(PY) -m compileall -q $(PACKAGE)
	env -u PYTHONDONTWRITEBYTECODE $(PY) -m evals.firewall_bench $(BENCH)

bench-inventory: $(RUN_STAMP)  ## Measure the inventory on 10,000 projects and 10,000 commits made from real lockfiles (BENCH="--projects 1000")
	@$(PY) -m compileall -q $(PACKAGE)
	env -u PYTHONDONTWRITEBYTECODE $(PY) -m evals.exposure $(BENCH)

drill: $(RUN_STAMP)  ## Play an incident in a company of 300 repositories and 40 machines, offline; print recall and precision (DRILL="--machines 8")
	@$(PY) -m compileall -q $(PACKAGE)
	env -u PYTHONDONTWRITEBYTECODE $(PY) -m evals.drill $(DRILL)

bench-graph: $(RUN_STAMP)  ## Measure the graph on a million packages and ten million edges beside SQLite's recursion (BENCH="--packages 20000")
	@$(PY) -m compileall -q $(PACKAGE)
	env -u PYTHONDONTWRITEBYTECODE $(PY) -m evals.graph_bench $(BENCH)

eval: $(DEV_STAMP)  ## Judge the corpora in a folder, and write evals/out/corpora/report.html (CORPORA=DIR, EVAL="--artifacts DIR --sample 400")

eval: $(DEV_STAMP)  ## Judge the corpora in a folder, and write evals/out/corpora/report.html (CORPORA=DIR, EVAL="--artifacts DIR --sample 400 --guarddog")
	@$(PY) -m compileall -q $(PACKAGE)
	$(PY) -m evals.corpora $(CORPORA) $(EVAL)
FUZZ_STAMP := .cache/fuzz/.ready

$(FUZZ_STAMP): requirements/fuzz.txt $(DEV_STAMP)
	@echo "Installing the fuzzer"
	@$(PIP_PINNED) -r requirements/fuzz.txt
	@mkdir -p $(@D) && touch $@

fuzz: $(FUZZ_STAMP)  ## Fuzz every parser, guided by coverage, and print a table (FUZZ="--runs 200000 --seconds 600 lockfile")
	$(PY) -m evals.fuzz $(FUZZ)

projects: $(RUN_STAMP) $(CLIENTS_STAMP)  ## Check five projects of different kinds with fresh state: an hour the first time (PROJECTS="--only uv")
	@$(PY) -m compileall -q $(PACKAGE)
	env -u PYTHONDONTWRITEBYTECODE $(PY) -m evals.projects $(PROJECTS)

bench-check: $(RUN_STAMP)  ## Measure a check of a thousand pins, cold and warm, and the longest files, with the lockfiles of `make projects` (CHECK="--pins 500")
	@$(PY) -m compileall -q $(PACKAGE)
	env -u PYTHONDONTWRITEBYTECODE $(PY) -m evals.check_bench $(CHECK)
	$(PY) -m evals.longest

differential: $(RUN_STAMP) $(CLIENTS_STAMP)  ## What Node, CPython, npm and pip accept beside ours, on what `make projects` has fetched
	$(PY) -m evals.differential .cache/projects/artifacts $(patsubst %,--cache .cache/projects/state-%/cache,npm pnpm yarn uv poetry)
	$(PY) -m evals.version_order $(patsubst %,.cache/projects/state-%/cache,npm uv)

updates: $(RUN_STAMP)  ## Read real updates, that nobody charged with anything, and print what is charged
	$(PY) -m evals.updates

mutations: $(RUN_STAMP)  ## Rewrite the payload of every held replay in many ways and count how often it stays held
	$(PY) -m evals.mutate

attribution: $(RUN_STAMP)  ## Ask whose handiwork each documented incident is, with that incident left out of the knowledge
	$(PY) -m evals.attribution

replays: $(RUN_STAMP)  ## Replay every documented incident and its control
	$(VENV)/bin/lazaretto replay replays

docs: $(DEV_STAMP)  ## Write the reference pages and the schema of reports from the code
	$(PY) tools/gen_docs.py
	$(PY) tools/gen_schema.py

golden: $(DEV_STAMP)  ## Write tests/golden again; look at the difference before you commit it
	$(PY) tools/golden.py

lock: | $(PY)  ## Pin dependencies anew, with hashes, from releases at least a week old
	@test -x .cache/lock/bin/uv || { $(PY) -m venv .cache/lock && .cache/lock/bin/python -m pip install -qq \
		--disable-pip-version-check --no-input --require-hashes --only-binary :all: -r requirements/lock.txt; }
	$(PY) tools/lock.py .cache/lock/bin/uv
	cd tests/clients && rm -f package-lock.json && npm install --package-lock-only --ignore-scripts --no-audit --no-fund \
		--omit-lockfile-registry-resolved --before="$$($(abspath $(PY)) -c 'import datetime as d; print(d.date.today() - d.timedelta(7))')"

new-detector: $(RUN_STAMP)  ## Write the skeleton of a detector (ID=lifecycle-script-added)
	$(PY) tools/new_detector.py "$(ID)"

clean:  ## Remove everything that was made here
	rm -rf $(VENV) .cache .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis .benchmarks dist
	find src tests tools evals -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
