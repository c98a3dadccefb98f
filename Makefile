# demo, test, check, bench, docs: each sets up what it needs and never installs twice.
PYTHON ?= python3
PORT ?= 8000
# Passed on to pytest: make test PYTEST="-k barge_in -x"
PYTEST ?=
BENCH ?=
# What the tests reach of the browser code.
REACHED := .coverage-js

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip install -qq --disable-pip-version-check --require-hashes
# The official clients bound packages that the app itself does not.
CLIENTS := .venv-clients
TSC := node_modules/.bin/tsc
# With a selection of the caller's own, one of the two calls may find nothing (5).
selected = $(1) $(PYTEST) || { code=$$?; [ $$code -eq 5 ] && [ -n "$(PYTEST)" ] || exit $$code; }
pytest = $(call selected,$(PY) -m pytest $(1))

.PHONY: help demo test test-js test-python test-clients test-browser snapshots coverage \
	coverage-js check \
	check-python check-imports check-js check-templates check-migrations bench docs fix lock \
	messages setup browser clean

help:
	@echo "make demo    serve the demo site on http://127.0.0.1:$(PORT)/"
	@echo "make test    run every test, those in a real browser too"
	@echo "make test-clients  only the official clients against the engine"
	@echo "make coverage-js  only the tests of the browser code, and what they reach of it"
	@echo "make check   format, lint, types, import order, templates, migrations, docs"
	@echo "make bench   measure the bridge and the engine; BENCH=... are its options"
	@echo "make docs    build the documentation in docs/_build/html"
	@echo "make fix     format and mend what the linters can mend"
	@echo "make messages  bring the translations up to date with the code, name what lacks"
	@echo "make setup   only install what all of these need"

# -- what the targets stand on ------------------------------------------------

$(VENV)/.made:
	@scripts/make-venv "$(PYTHON)" $(VENV)
	@touch $@

$(VENV)/.demo: requirements/demo.txt $(VENV)/.made
	@[ -e $(VENV)/.dev ] || { echo "Installing the packages of the demo ..."; $(PIP) -r requirements/demo.txt; }
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.made
	@echo "Installing the packages of the tests and checks ..."
	@$(PIP) -r requirements/dev.txt
	@touch $@

$(CLIENTS)/.made: requirements/clients.txt
	@scripts/make-venv "$(PYTHON)" $(CLIENTS)
	@echo "Installing the official clients ..."
	@$(CLIENTS)/bin/python -m pip install -qq --disable-pip-version-check --require-hashes \
		-r requirements/clients.txt
	@touch $@

node_modules/.made: package-lock.json
	@scripts/need-node
	@npm ci --no-fund --no-audit --no-update-notifier --loglevel=error
	@touch $@

browser: $(VENV)/.dev
	@scripts/need-browser $(PY)

setup: $(VENV)/.dev node_modules/.made browser

# -- demo ---------------------------------------------------------------------

demo: $(VENV)/.demo
	@$(PY) manage.py migrate --verbosity 0
	@$(PY) manage.py realtime_demo
	@exec $(PY) manage.py runserver --noreload 127.0.0.1:$(PORT)

# -- tests --------------------------------------------------------------------

test: test-js test-python test-clients coverage-js

test-js:
	@scripts/need-node
	@rm -rf $(REACHED)/node
	@NODE_V8_COVERAGE=$(REACHED)/node node --test $$(find tests/js -name '*.test.js' | sort)

test-python: $(VENV)/.dev
	@$(call pytest,-m "not browser")

# The official clients in their own environments, against the engine in a process.
test-clients: $(VENV)/.dev $(CLIENTS)/.made node_modules/.made
	@$(call selected,$(CLIENTS)/bin/python -m pytest -c tests/clients/pytest.toml tests/clients)
	@$(PY) -m tests.clients.serve node --test $$(find tests/clients -name '*.test.js' | sort)

# A call of its own: Playwright keeps an event loop running in the main thread.
test-browser: $(VENV)/.dev browser
	@rm -f $(REACHED)/browser.json
	@JS_COVERAGE=$(REACHED)/browser.json; export JS_COVERAGE; $(call pytest,-m browser)

# Which lines of the browser code Node.js and Chromium reach, together.
coverage-js: test-js test-browser
	@[ -n "$(PYTEST)" ] || $(PY) -m tests.js_coverage $(REACHED) --least 90

# The pictures of every state in every look; look at each before you commit it.
snapshots: $(VENV)/.dev browser
	@RENEW_SNAPSHOTS=1 $(PY) -m pytest -q -m browser tests/e2e/test_snapshots.py
	@git diff --stat -- docs/images/states

# Which lines the tests without a browser reach.
coverage: $(VENV)/.dev
	@$(PY) -m coverage run -m pytest -q -m "not browser" $(PYTEST)
	@$(PY) -m coverage report

# -- checks -------------------------------------------------------------------

check: check-python check-imports check-js check-templates check-migrations docs

check-python: $(VENV)/.dev
	@$(PY) -m ruff format --check --quiet .
	@$(PY) -m ruff check --quiet .
	@$(PY) -m mypy

check-imports: $(VENV)/.dev
	@$(VENV)/bin/lint-imports

check-js: node_modules/.made
	@node_modules/.bin/biome ci --colors=off
	@$(TSC) -p tsconfig.json
	@$(TSC) -p tsconfig.worklets.json

check-templates: $(VENV)/.dev
	@$(PY) -m djlint --lint --quiet --profile django realtime_widget/templates
	@$(PY) -m djlint --lint --quiet --profile jinja demo_site

check-migrations: $(VENV)/.dev
	@$(PY) -m django makemigrations --check --dry-run --settings tests.settings_all

docs: $(VENV)/.dev
	@$(PY) -m sphinx --quiet --fresh-env --fail-on-warning --keep-going -b html docs docs/_build/html

# -- the rest -----------------------------------------------------------------

bench: $(VENV)/.dev
	@$(PY) -m bench $(BENCH)

fix: $(VENV)/.dev node_modules/.made
	@$(PY) -m ruff format .
	@$(PY) -m ruff check --fix .
	@node_modules/.bin/biome check --write --colors=off

lock: $(VENV)/.dev
	@scripts/lock

messages: $(VENV)/.dev
	@$(PY) scripts/messages.py

clean:
	rm -rf $(VENV) $(CLIENTS) $(REACHED) node_modules .tox docs/_build .mypy_cache .ruff_cache .pytest_cache
