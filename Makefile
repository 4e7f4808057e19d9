# `make` lists what there is. To serve and to test needs make, git and Python 3.11 or newer; what else
# a command needs stands behind it.

VENV ?= .venv
DATA_DIR ?= $(or $(shell sed -n 's/^DATA_DIR=//p' .env 2>/dev/null),var)
PORT ?= $(or $(shell sed -n 's/^PORT=//p' .env 2>/dev/null),8000)
BIN := $(VENV)/bin
MANAGE := $(BIN)/python manage.py
export PORT DATA_DIR

# The first of these that runs and is new enough; `make PYTHON=/path/to/python run` takes another.
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$python && break; done)

HTMX := 4.0.1
TEMPLATES = $(shell find templates messaging site_config -name '*.html')

# Tests and checks take nothing from .env and leave the site's own data alone.
TEST_DATA := $(CURDIR)/var/test
TEST_ENV := ENV_FILE=/dev/null DATA_DIR=$(TEST_DATA) DEBUG=off ALLOWED_HOSTS=127.0.0.1,localhost CSRF_TRUSTED_ORIGINS= \
	EMAIL_URL=consolemail:// SECRET_KEY= MESSAGING_THROTTLES=on
PARALLEL := --numprocesses 2 --dist loadfile --no-loadscope-reorder
ON_SQLITE := DATABASE_URL=sqlite:///$(TEST_DATA)/parley.sqlite3 REDIS_URL=
TEST_DATABASE_URL ?= postgres://postgres@127.0.0.1:5432/test
TEST_REDIS_URL ?= redis://127.0.0.1:6379/9
ON_SERVERS := DATABASE_URL=$(TEST_DATABASE_URL) REDIS_URL=$(TEST_REDIS_URL)
AS_PUBLIC := ALLOWED_HOSTS=parley.example CSRF_TRUSTED_ORIGINS=https://parley.example BEHIND_TLS_PROXY=on \
	EMAIL_URL=smtp+tls://parley:secret@mail.parley.example:587

.DEFAULT_GOAL := help
.PHONY: help run dev seed shell test nightly drill bench audit pictures browser check lint format translations vendor-htmx clean

help: ## List these commands
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) \
	| while IFS="$$(printf '\t')" read -r name words; do printf '  make %-12s %s\n' "$$name" "$$words"; done

# --- Running it ----------------------------------------------------------------------------------

run: $(VENV)/.installed $(DATA_DIR)/static/staticfiles.json ## Serve Parley on http://127.0.0.1:8000 (PORT=… for another)
	@echo "==> Bringing the database up to date"
	@$(MANAGE) migrate --noinput --verbosity 0
	@echo "==> Seeding the demo, if nobody lives here yet"
	@$(MANAGE) seed_demo || true
	@echo
	@echo "Parley is at http://127.0.0.1:$(PORT)   (Ctrl+C stops it)"
	@echo "    Where the demo was seeded: sign in as alice, and in another browser as bob, password parley-demo."
	@echo "    To make the first owner, who may open /admin/: $(MANAGE) createsuperuser"
	@echo
	@exec $(BIN)/gunicorn

dev: $(VENV)/.installed-dev ## Serve it with DEBUG, reloading when a file changes
	@DEBUG=on $(MANAGE) migrate --noinput --verbosity 0
	@DEBUG=on $(MANAGE) runserver 127.0.0.1:$(PORT)

seed: $(VENV)/.installed ## Seed the demo into an empty site (ARGS="--scale 2000" for a large one)
	@$(MANAGE) migrate --noinput --verbosity 0
	@$(MANAGE) seed_demo $(ARGS)

shell: $(VENV)/.installed ## Open a Python shell with the site loaded
	@$(MANAGE) shell

$(DATA_DIR)/static/staticfiles.json: $(VENV)/.installed $(shell find static -type f)
	@echo "==> Collecting static files"
	@$(MANAGE) collectstatic --noinput --verbosity 0
	@touch $@

# --- Proving it ----------------------------------------------------------------------------------

test: $(VENV)/.installed-dev browser ## Run every test: unit, integration, and end to end in a browser
	@mkdir -p $(TEST_DATA)
	@echo "==> Unit and integration tests on SQLite and local memory"
	@$(TEST_ENV) $(ON_SQLITE) $(BIN)/pytest $(PARALLEL) $(ARGS)
	@if $(BIN)/python .ci/reachable.py $(TEST_DATABASE_URL) $(TEST_REDIS_URL); then \
		echo "==> The same tests on PostgreSQL and Redis"; \
		$(TEST_ENV) $(ON_SERVERS) $(BIN)/pytest $(PARALLEL) $(ARGS); \
	else \
		echo "==> Skipped: the same tests on PostgreSQL and Redis (set TEST_DATABASE_URL, TEST_REDIS_URL)"; \
	fi
	@echo "==> End-to-end tests in a browser"
	@$(TEST_ENV) $(ON_SQLITE) $(BIN)/pytest e2e $(PARALLEL) $(ARGS)

RANDOM_TESTS := messaging/tests/test_coherence.py messaging/tests/test_interleavings.py \
	messaging/tests/test_random_input.py

nightly: $(VENV)/.installed-dev ## Go on for longer with the tests that play at random
	@mkdir -p $(TEST_DATA)
	@echo "==> Random tests on SQLite and local memory"
	@NIGHTLY=1 $(TEST_ENV) $(ON_SQLITE) $(BIN)/pytest $(PARALLEL) $(RANDOM_TESTS) $(ARGS)
	@if $(BIN)/python .ci/reachable.py $(TEST_DATABASE_URL) $(TEST_REDIS_URL); then \
		echo "==> Random tests on PostgreSQL and Redis"; \
		NIGHTLY=1 $(TEST_ENV) $(ON_SERVERS) $(BIN)/pytest $(PARALLEL) $(RANDOM_TESTS) $(ARGS); \
	else \
		echo "==> Skipped: random tests on PostgreSQL and Redis (set TEST_DATABASE_URL, TEST_REDIS_URL)"; \
	fi

drill: $(VENV)/.installed-dev browser ## Let everything go wrong that may, and count afterwards (ARGS=--short, "--only F6")
	@$(TEST_ENV) $(ON_SQLITE) $(BIN)/python -m e2e.drill $(ARGS)

browser: $(VENV)/.installed-dev
	@$(BIN)/python -m e2e.browser

bench: $(VENV)/.installed $(DATA_DIR)/static/staticfiles.json ## Measure what pages cost (ARGS=--peers, ARGS="--messages 1000000")
	@export MESSAGING_THROTTLES=off; status=0; \
	echo "==> In a scratch database on SQLite"; \
	DATABASE_URL=sqlite:///$(abspath $(DATA_DIR))/parley.sqlite3 REDIS_URL= $(MANAGE) bench $(ARGS) || status=1; \
	if [ -n "$$DATABASE_URL" ]; then \
		echo "==> In a scratch database on the server of DATABASE_URL"; \
		$(MANAGE) bench $(ARGS) || status=1; \
	fi; exit $$status

audit: $(VENV)/.installed-dev browser ## Have pages judged: Lighthouse, the Nu HTML checker, sizes (needs node, java, Chromium)
	@mkdir -p $(TEST_DATA)
	@$(TEST_ENV) $(ON_SQLITE) $(BIN)/python -m e2e.audit

pictures: $(VENV)/.installed-dev browser ## Take the pictures of the README and its tour, of the demo
	@$(TEST_ENV) $(ON_SQLITE) $(BIN)/python -m e2e.pictures

check: lint ## Check style, templates, migrations and settings, a public site's too
	@mkdir -p $(TEST_DATA)
	@echo "==> Migrations and settings"
	@$(TEST_ENV) $(ON_SQLITE) $(MANAGE) makemigrations --check --dry-run
	@$(TEST_ENV) $(ON_SQLITE) $(MANAGE) check
	@echo "==> Settings of a public site"
	@$(TEST_ENV) $(ON_SQLITE) $(AS_PUBLIC) $(MANAGE) check --deploy --fail-level WARNING

lint: $(VENV)/.installed-dev ## Check style alone
	@echo "==> Style of Python and templates"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/djade --check $(TEMPLATES)

format: $(VENV)/.installed-dev ## Put Python and templates into style
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@$(BIN)/djade $(TEMPLATES)

LANGUAGES := ar de fr
CATALOGUES = $(LANGUAGES:%=site_config/translations/%/LC_MESSAGES/django.po)

translations: $(VENV)/.installed-dev ## Collect what is to be translated, and compile what was (needs GNU gettext)
	@$(TEST_ENV) $(MANAGE) makemessages $(LANGUAGES:%=--locale %) --no-location --no-obsolete --ignore 'var/*' --ignore '.venv/*' --ignore 'tests/*' --verbosity 0
	@sed -i '/^"POT-Creation-Date/d' $(CATALOGUES)
	@for file in $(CATALOGUES); do msgfmt --check-format --statistics -o "$${file%.po}.mo" "$$file"; done

# --- What it needs -------------------------------------------------------------------------------

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Parley needs Python 3.11 or newer: install it, or say where it is: make PYTHON=/path/to/python"; exit 1; }
	@echo "==> Making a virtual environment in $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV) || { echo "This Python has no venv module: on Debian, apt-get install python3-venv"; rm -rf $(VENV); exit 1; }

$(VENV)/.installed: requirements.txt | $(VENV)/bin/python
	@echo "==> Installing what Parley runs on (requirements.txt)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	@echo "==> Installing what the tests need (requirements-dev.txt)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

vendor-htmx: ## Fetch htmx again into static/vendor (no build: two files joined)
	@dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT \
	&& curl -fsSL https://registry.npmjs.org/htmx.org/-/htmx.org-$(HTMX).tgz | tar -xz -C "$$dir" \
	&& grep -E '^[0-9a-f]{64} ' static/vendor/VERSIONS > "$$dir/sums" \
	&& (cd "$$dir/package/dist" && sha256sum -c ../../sums) \
	&& (cd "$$dir/package/dist" && cat htmx.min.js ext/hx-ptag.min.js) > static/vendor/htmx-$(HTMX).ptag.min.js

clean: ## Remove caches and the results of tests (never the site's data)
	@rm -rf .pytest_cache .ruff_cache .hypothesis test-results e2e/screenshots var/test
	@find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
