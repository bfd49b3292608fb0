# Two commands do all the set-up: `make demo` and `make test`. The rest is for those who change the code.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: demo test lint types contracts format lock model prism flink wheel clean help

help:            ## list the targets
	@grep -E '^[a-z-]+: .*##|^[a-z-]+:  *##' $(MAKEFILE_LIST) | sed 's/:.*##/  /'

$(VENV)/.core: requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --require-hashes --no-deps --only-binary :all: -r requirements.lock
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.core
	$(PIP) install --quiet --require-hashes --no-deps -r requirements-dev.lock
	touch $@

demo: $(VENV)/.core       ## run the whole pipeline on the bundled sample outlets and show its alerts
	$(BIN)/trucewatch demo

test: $(VENV)/.dev        ## run all tests
	$(BIN)/python -m pytest -n 2 --dist worksteal

lint: $(VENV)/.dev        ## style and likely bugs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev       ## strict static types
	$(BIN)/mypy

contracts: $(VENV)/.dev   ## imports go one way
	$(BIN)/lint-imports

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock:                     ## pin all dependencies anew, with hashes and without download addresses
	uv pip compile pyproject.toml deploy/build-requirements.in --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-header --output-file requirements.lock
	uv pip compile pyproject.toml deploy/build-requirements.in --all-extras --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-header --constraint requirements.lock --output-file requirements-dev.lock
	uv pip compile pyproject.toml deploy/build-requirements.in --extra gcp --extra postgres --extra web --extra metrics \
		--universal --python-version 3.13 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
		--constraint requirements.lock --output-file deploy/docker/requirements.lock

prism: $(VENV)/.core      ## build Prism, the local streaming runner, beside Python; needs Go
	GOBIN=$(abspath $(BIN)) go install github.com/apache/beam/sdks/v2/go/cmd/prism@v2.77.0

flink: $(VENV)/.dev       ## run the demonstration as a stream on a Flink cluster of this machine (needs Java; fetches 900 MB once)
	$(BIN)/python -m benchmarks.flink.demo

wheel: $(VENV)/.dev       ## build the wheel into dist/
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

clean:
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

model: $(VENV)/.dev       ## train the judgement of detect on the labelled news beside the checkout
	$(BIN)/python -m benchmarks.detection.train_model $(GOLD)
