# Two commands need nothing set up but Python 3.11+ and make:
#   make demo    install, and tell the whole story on a bundled shop
#   make test    install, and run the tests
# The others are for working on the code.

VENV   := .venv
BIN    := $(VENV)/bin
PYTHON ?= python3
STAMP  := $(VENV)/.installed
# a memory disk of two free gigabytes or more, where there is one: the tests sync many small files
SHM    := $(shell df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 && $$4 > 2000000 { print "/dev/shm" }')

.PHONY: demo test lint format docs bench soak soak-all soak-events contest worlds fuzz clean

demo: $(STAMP)  ## the whole story on a bundled shop
	@$(BIN)/aftersale demo demo-shop

test: $(STAMP)  ## every test
	@$(if $(SHM),PYTEST_DEBUG_TEMPROOT=$(SHM)) $(BIN)/pytest

lint: $(STAMP)  ## ruff, mypy, the river of imports, and documents that are up to date
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python docs/generate.py --check

format: $(STAMP)  ## put the code into shape
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: $(STAMP)  ## write the generated pages of docs/ and the JSON Schema anew
	@$(BIN)/python docs/generate.py

bench: $(STAMP)  ## the benchmarks, each a ratio within one run
	@$(BIN)/python -m benchmarks

soak: $(STAMP)  ## processes killed, frozen and failed at random, then the mails counted: SECONDS, DATABASE, TRANSPORT, SEED
	@$(BIN)/python -W ignore -m tests.soak --seconds $(or $(SECONDS),120) --database $(or $(DATABASE),sqlite) \
		--transport $(or $(TRANSPORT),sendgrid) $(if $(SEED),--seed $(SEED))

soak-all: $(STAMP)  ## the same with both transports on both databases, one after the other: SECONDS of each, SEED
	@for database in sqlite postgres; do for transport in sendgrid smtp; do \
		$(BIN)/python -W ignore -m tests.soak --seconds $(or $(SECONDS),120) --database $$database \
			--transport $$transport $(if $(SEED),--seed $(SEED)) || exit 1; \
	done; done

soak-events: $(STAMP)  ## a million events in any order, with duplicates, end as in order: EVENTS, DATABASE, SEED
	@$(BIN)/python -W ignore -m tests.soak.events --events $(or $(EVENTS),1000000) \
		--database $(or $(DATABASE),sqlite) $(if $(SEED),--seed $(SEED))

contest: $(STAMP)  ## a daemon, imports and questions at once on one SQLite file; is anybody told of a lock? SECONDS
	@$(BIN)/python -W ignore -m tests.soak.contest --seconds $(or $(SECONDS),600)

worlds: $(STAMP)  ## thousands of new random worlds, ticked for months, and of rules and claims: WORLDS of each kind
	@AFTERSALE_TEST_WORLDS=$(or $(WORLDS),2000) $(BIN)/pytest $(wildcard tests/planning/test_*worlds.py) \
		tests/rendering/test_proof_is_sound.py tests/rules/test_judge.py

fuzz: $(STAMP)  ## every operation of the OpenAPI document, on both databases: FUZZ requests of each kind
	@AFTERSALE_TEST_FUZZ=$(or $(FUZZ),200) $(BIN)/pytest tests/web/test_fuzz.py

clean:
	rm -rf $(VENV) demo-shop

# uv where it is present, else venv and pip
$(STAMP): pyproject.toml constraints.txt
	@if command -v uv >/dev/null 2>&1; then \
		uv venv --quiet --allow-existing --python "$(PYTHON)" $(VENV) && \
		uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable '.[dev]'; \
	else \
		$(PYTHON) -m venv $(VENV) && \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'; \
	fi
	@touch $@
