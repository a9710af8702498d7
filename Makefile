# Two commands matter: `make run` starts Hearth, `make test` proves it. `make help` lists the rest.
PYTHON ?= python3
SETUP  := $(PYTHON) packaging/setup.py
BIN    := .venv/bin
CACHE  := $(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME),$(HOME)/.cache)/hearth/llama
# The benches are modules of tests/bench; -P keeps their folder, which has an http.py, off the path.
BENCH  := PYTHONPATH=tests:packaging $(BIN)/python -P -m bench.

.DEFAULT_GOAL := help
.PHONY: help run test test-crash test-gpu proof soak check check-format check-lint check-types check-layers check-generated fix docs lock clean dev engine bench-http bench-idle bench-start bench-engine bench-peers bench-doors bench-memory bench-runs bench-gateway bench-masking

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

run:  ## start Hearth, setting up what is missing (ENGINE=no DESKTOP=no CHAT=no leave a part out)
	@$(SETUP) run $(if $(filter no,$(ENGINE)),--no-engine) $(if $(filter no,$(DESKTOP)),--no-desktop) $(if $(filter no,$(CHAT)),--no-chat)

test: dev engine  ## everything needed to trust a change: unit, integration, engine, clients, doors, security, fuzz
	@$(BIN)/python packaging/tiers.py unit integration engine clients desktop editors browsers security fuzz

test-crash: dev engine  ## kill -9 at random moments (HEARTH_CRASH_N=50 for more of them)
	@$(BIN)/python packaging/tiers.py crash

# One build for every x86-64 processor with AVX2, made once (18 minutes of CPU, loaded) and kept beside set-up's own.
VULKAN := $(BIN)/python packaging/build_llama.py --portable --backend vulkan
test-gpu: dev engine  ## offload on Mesa's software device; builds llama.cpp for Vulkan once
	$(SETUP) system vulkan gpu
	$(VULKAN) --cache $(CACHE) --libraries .cache/engine/vulkan-$(shell sed -n 's/^llama-cpp-python==\([^ ]*\).*/\1/p' requirements-local.lock)
	@$(BIN)/python packaging/tiers.py gpu

proof: dev engine  ## ask through all five doors, kill it in mid-answer, write proof/index.html
	@PYTHONPATH=tests $(BIN)/python -P -m proof

soak: dev engine  ## the full numbers and the long runs: crash, bare machine, every bench (about an hour)
	HEARTH_CRASH_N=50 HEARTH_CRASH_EFFECTS=200 $(BIN)/python packaging/tiers.py --no-budget crash setup
	HEARTH_DAMAGE_N=10 PYTHONPATH=tests $(BIN)/python -P -m bench.memory_damage
	HEARTH_SWAPS=10000 $(BIN)/python -m pytest -q --timeout=1800 tests/security/test_t26.py
	HEARTH_FUZZ_EXAMPLES=100 $(BIN)/python -m pytest -q --timeout=1800 tests/clients/test_compatible_doors.py
	$(MAKE) bench-start bench-idle bench-http bench-doors bench-runs

check: check-format check-lint check-types check-layers check-generated  ## format, lint, types, import contracts, generated files

check-format: dev
	$(BIN)/ruff format --check

check-lint: dev
	$(BIN)/ruff check

check-types: engine
	PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright

check-layers: dev
	$(BIN)/lint-imports

check-generated: dev
	$(BIN)/python packaging/generate_wire.py --check
	$(BIN)/python packaging/generate_docs.py --check
	$(BIN)/python packaging/generate_extension.py --check
	$(BIN)/python packaging/build_icons.py --check
	$(BIN)/python packaging/build_minilm_graph.py --check

fix: dev  ## format, and mend what ruff can
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

docs: dev  ## make the generated files anew
	$(BIN)/python packaging/generate_wire.py
	$(BIN)/python packaging/generate_docs.py
	$(BIN)/python packaging/generate_extension.py
	$(BIN)/python packaging/build_icons.py

bench-http: dev  ## 1000 requests a second for a minute, then ten times that
	@$(BENCH)http

bench-idle: dev  ## what an idle Hearth costs
	@$(BENCH)idle

bench-start: dev  ## what starting costs
	@$(BENCH)start

bench-engine: dev engine  ## tokens for a second of processor time, beside plain llama-cpp-python
	@$(BENCH)engine

bench-peers: dev engine  ## llama-server from the same source and what llama_cpp.server needs, for bench-engine (once)
	@$(BIN)/python packaging/build_peers.py --cache $(CACHE)

bench-doors: dev engine  ## what tray, editor and browser cost
	@$(BENCH)doors

bench-memory: dev  ## what memory finds, forgets and survives, beside the usual methods (DATA=FOLDER)
	@OPENBLAS_NUM_THREADS=1 $(BENCH)memory $(DATA)

bench-runs: dev  ## what durable runs cost, beside DBOS (HEARTH_BENCH_CACHE names a folder for its environment)
	@$(BENCH)runs

bench-gateway: dev  ## what becomes of failing models, beside three libraries (HEARTH_BENCH_CACHE as for bench-runs)
	@$(BENCH)gateway

bench-masking: dev  ## what it costs to find what must not leave
	@$(BENCH)masking

COMPILE := $(SETUP) uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate
lock:  ## lock files anew from pyproject.toml: versions and hashes, no hosts (llama.cpp is built apart)
	$(COMPILE) --group models --group dev --all-extras --no-emit-package llama-cpp-python pyproject.toml -o requirements-dev.lock
	$(COMPILE) --extra local --extra index -c requirements-dev.lock pyproject.toml -o requirements-local.lock
	$(COMPILE) --group models --extra lsp --extra index -c requirements-dev.lock pyproject.toml -o requirements.lock
	$(COMPILE) --group models --extra lsp --extra index --extra desktop -c requirements-dev.lock pyproject.toml -o requirements-desktop.lock
	$(COMPILE) packaging/requirements-build.in -o packaging/requirements-build.lock
	$(COMPILE) packaging/requirements-uv.in -o packaging/requirements-uv.lock
	$(COMPILE) tests/clients/python/requirements.in -o tests/clients/python/requirements.lock

clean:  ## remove the environment and every cache in this checkout; memories and models stay
	-@$(BIN)/hearth down >/dev/null 2>&1 || true
	rm -rf .venv .cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache build dist schemathesis-report
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

dev:
	@$(SETUP) environment --dev

engine: dev
	@$(SETUP) engine
