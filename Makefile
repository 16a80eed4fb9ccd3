# Every target sets up what it needs: an isolated environment in .venv from the hashed requirements files.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PYTHONHASHSEED := 0

.DEFAULT_GOAL := help
.PHONY: help demo serve test check bench year docs random-instances example-node fuzz-api models proto pictures clean lock setup setup-dev

help:  ## List the targets with a line each
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */\1\t/' | expand -t 14

setup: $(VENV)/.runtime  ## Make the isolated environment (done by every other target as needed)

setup-dev: $(VENV)/.dev

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements/runtime.txt $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/runtime.txt
	$(BIN)/python -c "import pathlib, site; pathlib.Path(site.getsitepackages()[0], 'collections_opt.pth').write_text('$(CURDIR)\n')"
	touch $@

# Spark is 450 MB: only what tests or runs it installs it.
$(VENV)/.spark: requirements/spark.txt $(VENV)/.runtime
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/spark.txt
	touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.runtime
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	touch $@

demo: setup  ## Rank the bundled real portfolio and compare the orders on what happened
	$(BIN)/python scripts/demo.py

serve: setup  ## Serve the gRPC API on loopback over the data folder of the demo (SERVE_FLAGS for more)
	$(BIN)/python scripts/serve.py --data var/demo --insecure-loopback $(SERVE_FLAGS)

.PHONY: console browser
console: setup  ## Show the console over the data folder of the demo (CONSOLE_FLAGS for more)
	$(BIN)/python scripts/console.py --data var/demo $(CONSOLE_FLAGS)

browser:  # In continuous integration pages are looked at in a real browser; elsewhere their tests are left out where there is none.
ifeq ($(CI),true)
	command -v chromium || command -v chromium-browser || command -v google-chrome || { S=$$(command -v sudo || true); $$S apt-get update -qq && $$S apt-get install -y -qq chromium; }
endif

# Likewise clients in other languages are built from the protos there: what Debian has of their toolchains, and the packages of Node.
JAVA_PACKAGES := default-jdk-headless protobuf-compiler libprotobuf-dev protobuf-compiler-grpc-java-plugin libprotobuf-java libgrpc-java libnetty-java libperfmark-java
GO_PACKAGES := golang-go protoc-gen-go protoc-gen-go-grpc golang-google-grpc-dev golang-google-protobuf-dev golang-google-genproto-dev golang-github-golang-protobuf-1-5-dev

.PHONY: other-clients
other-clients:
ifeq ($(CI),true)
	{ command -v grpc_java_plugin && command -v protoc-gen-go-grpc && command -v go && command -v javac && command -v npm && test -d /usr/share/gocode/src/google.golang.org/grpc && test -f /usr/share/java/grpc-netty.jar; } >/dev/null || { S=$$(command -v sudo || true); $$S apt-get update -qq && $$S apt-get install -y -qq --no-install-recommends $(JAVA_PACKAGES) $(GO_PACKAGES) $$(command -v npm >/dev/null || echo nodejs npm); }
	npm ci --prefix examples/node --ignore-scripts --no-audit --no-fund
endif

test: setup-dev $(VENV)/.spark browser other-clients  ## Set up and run the whole test suite
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(TEST_FLAGS)

.PHONY: laws
laws: setup-dev  ## The laws of a ranking on LAW_BOOKS (10000) random books; make test tries a quarter of them, others each time
	LAW_BOOKS=$${LAW_BOOKS:-10000} $(BIN)/python -m pytest -q tests/properties/test_ranking_laws.py

.PHONY: test-fast
test-fast: setup-dev  ## The tests that a change meets first, in under two minutes on two cores
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder -m "not slow" $(TEST_FLAGS)

.PHONY: monitors fault-schedules fault-kill fault-disks tamper duplicates-load siege fuzz-bytes
siege: setup-dev  ## Attacks on service and secrets: health, goodput, memory, leaks (BENCH_FLAGS="--seconds 1")
	$(BIN)/python -m harness.benchmarks siege $(BENCH_FLAGS)

year: setup-dev  ## Years of simulated lenders run by the product through its API: money per month, written to docs
	$(BIN)/python -m harness.experiments $(YEAR_FLAGS)

monitors: setup-dev  ## Alarms of monitors on 2,000 simulated desks: how often they are false, how soon they find a shift
	$(BIN)/python -m harness.monitors

fault-schedules: setup-dev  ## 300 seeded schedules of faults around the real code, and every planted bug
	$(BIN)/python -m harness.faults.schedules --count 300

fault-kill: setup-dev  ## 200 kills of workers, 40 of the server under load, 5 restarts of a PostgreSQL, 20 of one of two servers on it
	$(BIN)/python -m harness.faults.kills --workers 200 --servers 40 --restarts 5 --pairs 20

fault-disks: setup-dev  ## 40 disks that fill up or turn read-only under a server at work (as root), and every planted bug
	$(BIN)/python -m harness.faults.disks --count 40

tamper: setup-dev  ## 1,000 edits of rows, objects, checkpoints and keys: found, and found where they were made
	$(BIN)/python -m harness.faults.tampering --count 1000
	$(BIN)/python -m harness.faults.histories --count 60

duplicates-load: setup-dev  ## 64 callers with one key, over several processes, on SQLite and PostgreSQL
	$(BIN)/python -m harness.faults.duplicates --callers 64

leases: setup-dev  ## 100,000 leases by 200 holders over two servers that are killed with -9, on PostgreSQL; then every planted bug
	$(BIN)/python -m harness.leases --leases 100000 --holders 200 --plants --write

check: setup-dev  ## Formatting, lint, types, import contracts, the proto contract and the freshness of generated code
	$(BIN)/ruff format --check collections_opt harness tests scripts
	$(BIN)/ruff check collections_opt harness tests scripts
	$(BIN)/mypy
	PYTHONPATH=. $(BIN)/lint-imports
	$(BIN)/python scripts/generate_proto.py --check --lint --breaking
	$(BIN)/python tools/make_api_pages.py --check

.PHONY: api-pages
api-pages: setup-dev  ## Write docs/api from the contract and the public Python names
	$(BIN)/python tools/make_api_pages.py

.PHONY: ugly-files
ugly-files: setup-dev  ## Read 10,000 random ugly files: to the clean file's values, or refused with the cause named
	$(BIN)/python -m harness.ugly_files --count 10000

.PHONY: replay evidence
replay: setup-dev  ## Verify and replay the 50 golden rankings over threads, row orders and hash seeds
	$(BIN)/python -m harness.golden.replaying

evidence: setup-dev  ## 200 answers with proofs to the stand-alone verifier, and altered bytes that it must refuse
	$(BIN)/python -m harness.golden.explaining --count 200

bench: setup-dev  ## Run all benches and write docs/benchmarks (BENCH=name for one, BENCH_FLAGS="--small" to try)
	$(BIN)/python -m harness.benchmarks $(BENCH) $(BENCH_FLAGS)

# atheris is 35 MB and for Linux: only what fuzzes installs it.
$(VENV)/.fuzz: requirements/fuzz.txt $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/fuzz.txt
	touch $@

fuzz-bytes: $(VENV)/.fuzz  ## Fuzz every method with raw bytes, guided by coverage (FUZZ_RUNS, 100000; FUZZ_SECONDS, an hour)
	$(BIN)/python -m harness.fuzzing --runs $(or $(FUZZ_RUNS),100000) --seconds $(or $(FUZZ_SECONDS),3600) $(FUZZ_FLAGS)

fuzz-api: setup-dev  ## Send FUZZ_MESSAGES (1000000) odd messages to all methods: none may be answered INTERNAL; then planted bugs
	$(BIN)/python -m harness.fuzzing.odd --messages $(or $(FUZZ_MESSAGES),1000000)

random-instances: setup-dev  ## Solve 500 random small instances against another exact solver
	COLLECTIONS_OPT_RANDOM_INSTANCES=500 $(BIN)/python -m pytest -q -n 2 tests/solvers/test_random_instances.py

example-node: setup-dev  ## Install the packages of examples/node and run it against a server
	npm ci --prefix examples/node --ignore-scripts --no-audit --no-fund
	$(BIN)/python -m pytest -q tests/docs/test_other_clients.py -k node

models: setup  ## Train the outcome model and its scorecard (May to July only) and write the evaluation for a validator
	$(BIN)/python scripts/train_models.py --models-dir models
	$(BIN)/python scripts/evaluate_models.py --models models --out var/evaluation

proto: setup-dev  ## Generate the Python code of the contract anew
	$(BIN)/python scripts/generate_proto.py

CHROMIUM ?= chromium
docs: setup-dev  ## Write the outputs of scripts anew into the pages of docs that show them
	$(BIN)/python -m harness.docs.refresh_outputs

pictures: setup-dev  ## Take the pictures of the demo, its page and the console anew (needs Chromium)
	COLLECTIONS_OPT_PICTURES=docs/images $(BIN)/python -m pytest -q tests/console/test_walk.py
	COLUMNS=116 $(BIN)/python scripts/demo.py --picture docs/images/demo.svg
	cp var/demo/day.svg docs/images/day.svg
	$(CHROMIUM) --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update --disable-sync --user-data-dir=build/chromium --hide-scrollbars --window-size=1100,1210 --screenshot=docs/images/comparison.png file://$(CURDIR)/var/demo/comparison.html

lock: setup-dev  ## Resolve the dependencies anew into the hashed requirements files
	$(BIN)/uv pip compile pyproject.toml --extra server --extra console --no-config --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --upgrade --quiet -o requirements/runtime.txt
	$(BIN)/uv pip compile pyproject.toml --extra server --extra console --group dev --no-config --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --upgrade --quiet -o requirements/dev.txt
	echo 'atheris>=3.0' | $(BIN)/uv pip compile - --no-config --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --upgrade --quiet -o requirements/fuzz.txt
	echo 'pyspark>=4.1' | $(BIN)/uv pip compile - --constraint requirements/runtime.txt --no-config --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --upgrade --quiet -o requirements/spark.txt
	printf 'mlserver\nmlserver-lightgbm\n' | $(BIN)/uv pip compile - --no-config --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --upgrade --quiet -o requirements/mlserver.txt

clean:  ## Remove the environment, caches and everything the demo made
	rm -rf $(VENV) var build .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
